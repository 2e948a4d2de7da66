# The CUDA module, assay-cuda.so: kernels only, opened by the program when a backend of it is asked for.
# AUTO builds it where a CUDA compiler is found, ON insists, OFF does not look.
#
# One machine code serves all cards of its major version from its own on: sm_80 is what sm_86 and sm_89
# run. The PTX of the last entry is for cards to come. Warpgroup products exist on sm_90a alone.
set(ASSAY_CUDA_ARCHITECTURES "75-real;80-real;90" CACHE STRING "CUDA architectures, as CMake names them")

if(ASSAY_CUDA STREQUAL "OFF")
  return()
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  if(ASSAY_CUDA STREQUAL "ON")
    message(FATAL_ERROR "ASSAY_CUDA=ON: no CUDA compiler found; put nvcc on PATH or set "
                        "CMAKE_CUDA_COMPILER, or use AUTO or OFF")
  endif()
  return()
endif()
set(CMAKE_CUDA_ARCHITECTURES ${ASSAY_CUDA_ARCHITECTURES})
enable_language(CUDA)
if(NOT EXISTS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES}/cublas_v2.h)
  message(FATAL_ERROR "CUDA ${CMAKE_CUDA_COMPILER_VERSION} at ${CMAKE_CUDA_COMPILER} has no cublas_v2.h; "
                      "install cuBLAS's development files, or set ASSAY_CUDA=OFF")
endif()

file(GLOB ASSAY_CUDA_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/cuda/*.cu)
set(hopper ${CMAKE_SOURCE_DIR}/kernels/cuda/cuda_wgmma.cu)
list(REMOVE_ITEM ASSAY_CUDA_SOURCES ${hopper})
add_library(assay_cuda_hopper OBJECT ${hopper})
set_target_properties(assay_cuda_hopper PROPERTIES CUDA_ARCHITECTURES 90a-real)
add_library(assay_cuda MODULE ${ASSAY_CUDA_SOURCES} $<TARGET_OBJECTS:assay_cuda_hopper>)
foreach(target assay_cuda assay_cuda_hopper)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Xcompiler=-Wall,-fvisibility=hidden
                         $<$<BOOL:${ASSAY_WERROR}>:-Werror=all-warnings>)
  set_target_properties(${target} PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON
                        POSITION_INDEPENDENT_CODE ON CUDA_RUNTIME_LIBRARY Static)
endforeach()
target_link_libraries(assay_cuda PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(assay_cuda PROPERTIES PREFIX "" OUTPUT_NAME assay-cuda
                      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
install(TARGETS assay_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/assay)
