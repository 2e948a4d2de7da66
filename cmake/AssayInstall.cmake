# Beside the two programs (installed by their rooms): the library, its headers below include/assay as
# they are included ("datasets/containers.h"), and assay.pc.
install(TARGETS assay_library ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY datasets kernels harness reports DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/assay
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def"
        PATTERN "*_private.h" EXCLUDE PATTERN "cli" EXCLUDE PATTERN "image_worker" EXCLUDE
        PATTERN "cpu" EXCLUDE PATTERN "cuda" EXCLUDE PATTERN "reference" EXCLUDE)
# assay.pc finds its prefix from where it lies, so that an installed tree may be moved.
file(RELATIVE_PATH ASSAY_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/assay.pc.in ${CMAKE_BINARY_DIR}/assay.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/assay.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/assay)
