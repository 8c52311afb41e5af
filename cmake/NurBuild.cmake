# How every target here is compiled: one library per folder (nur_add_library), a thin main per
# program (nur_add_program), one test binary per folder of tests (nur_add_test).

option(NUR_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(NUR_FUZZ "Build for the fuzz targets of tests/fuzz/host; clang++ only" OFF)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)  # NUR_TRY is a statement expression
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# The host maps nothing at fixed low addresses and must not itself lie there (PIE).
include(CheckPIESupported)
check_pie_supported()

add_compile_options(-Wall -Wextra -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual> -Werror=return-type)
# g++ 12 sees overlapping copies in its own std::string (GCC bug 105651).
add_compile_options($<$<CXX_COMPILER_ID:GNU>:$<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>>)
if(NUR_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  if(NUR_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
else()
  add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
  add_compile_options(-fstack-protector-strong)
endif()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)

# Libraries and programs that are optimised as a whole (WHOLE): objects of such libraries hold both
# what that takes and ordinary code, so that tests link as quickly as ever.
set(NUR_CAN_OPTIMISE_WHOLE OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT NUR_SANITIZE)
  set(NUR_CAN_OPTIMISE_WHOLE ON)
endif()

# nur_add_library(NAME SOURCES a.cc ... DEPENDS nur::x ... LINKS package::y ... [WHOLE])
# Defines nur_NAME and its alias nur::NAME; includes are written from the root of the tree.
function(nur_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 LIB "WHOLE" "" "SOURCES;DEPENDS;LINKS")
  add_library(nur_${name} STATIC ${LIB_SOURCES})
  add_library(nur::${name} ALIAS nur_${name})
  target_include_directories(nur_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime/include)
  target_link_libraries(nur_${name} PUBLIC ${LIB_DEPENDS} ${LIB_LINKS})
  if(LIB_WHOLE AND NUR_CAN_OPTIMISE_WHOLE)
    target_compile_options(nur_${name} PRIVATE -flto -ffat-lto-objects)
  endif()
endfunction()

# nur_add_program(NAME SOURCES main.cc ... DEPENDS nur::x ... [WHOLE])
function(nur_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 PROG "WHOLE" "" "SOURCES;DEPENDS")
  add_executable(${name} ${PROG_SOURCES})
  target_link_libraries(${name} PRIVATE ${PROG_DEPENDS})
  if(PROG_WHOLE AND NUR_CAN_OPTIMISE_WHOLE)
    target_link_options(${name} PRIVATE -flto=auto)
  else()
    target_link_options(${name} PRIVATE -fno-lto)
  endif()
endfunction()

# nur_add_test(NAME SOURCES a_test.cc ... DEPENDS nur::x ... [TIMEOUT seconds])
# One gtest binary; each of its tests is one ctest test named NAME.Suite.Case.
function(nur_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 TEST "" "TIMEOUT" "SOURCES;DEPENDS")
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_options(${name} PRIVATE -fno-lto)
  target_link_libraries(${name} PRIVATE ${TEST_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  # Tests that compile modules find wasm2c where nurc does: beside it.
  gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${TEST_TIMEOUT}
                                  ENVIRONMENT "NUR_WASM2C=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/wasm2c")
endfunction()
