# assay_room(NAME SOURCES ... LIBRARIES ...) makes the OBJECT library of one room. Sources are found in
# the room's folder: a new file needs no list.
add_library(assay_options INTERFACE)
target_include_directories(assay_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_compile_definitions(assay_options INTERFACE _GNU_SOURCE ASSAY_VERSION="${PROJECT_VERSION}")
target_compile_options(assay_options INTERFACE
  -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wwrite-strings -Wformat=2
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<BOOL:${ASSAY_WERROR}>:-Werror>)
if(ASSAY_SANITIZE)
  target_compile_options(assay_options INTERFACE -fsanitize=${ASSAY_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(assay_options INTERFACE -fsanitize=${ASSAY_SANITIZE})
endif()

# What a child did that ended with _exit is not in the counts.
if(ASSAY_COVERAGE)
  target_compile_options(assay_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(assay_options INTERFACE --coverage)
endif()

# Fuzzing needs what clang counts while the program runs.
if(ASSAY_FUZZ)
  target_compile_options(assay_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(assay_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(assay_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${name} OBJECT ${ROOM_SOURCES})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PUBLIC assay_options PRIVATE ${ROOM_LIBRARIES})
endfunction()
