# Every target of Tome links tome_options: the language level, warnings, and what a preset asks for.
add_library(tome_options INTERFACE)
target_compile_features(tome_options INTERFACE cxx_std_20)
target_include_directories(tome_options INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_compile_options(tome_options INTERFACE -Wall -Wextra -Wconversion -Wshadow)
# g++ 12 warns of overlapping copies in "text" + string that are none (GCC bug 105651).
target_compile_options(tome_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(TOME_WERROR)
  target_compile_options(tome_options INTERFACE -Werror)
endif()
if(TOME_LIBRARY_CHECKS)
  target_compile_definitions(tome_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()
if(TOME_SANITIZE)
  # Instrumented code takes long to optimise: -O1 halves the build, and reports name lines all the same.
  target_compile_options(tome_options INTERFACE -O1 -g1 -fsanitize=${TOME_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tome_options INTERFACE -fsanitize=${TOME_SANITIZE})
  if(TOME_SANITIZE MATCHES "undefined")
    target_compile_options(tome_options INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()
if(TOME_COVERAGE)
  target_compile_options(tome_options INTERFACE --coverage)
  target_link_options(tome_options INTERFACE --coverage)
endif()

# tome_compile_together(TARGET) compiles some files of the target at a time, where TOME_UNITY is on.
function(tome_compile_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${TOME_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  if(TOME_UNITY)
    # g++ takes a class of one of the files for a class of a header.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# tome_library(NAME [SEPARATE] SOURCES file... [PUBLIC library...] [PRIVATE library...])
# One static library for one folder of src/tome. SEPARATE: its files name their own things alike, so each is
# compiled by itself.
function(tome_library name)
  cmake_parse_arguments(arg "SEPARATE" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC tome_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  if(NOT arg_SEPARATE)
    tome_compile_together(${name})
  endif()
  if(TOME_FUZZ)
    # The code under test reports its coverage to the fuzzer; only the targets link its main.
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()
