# Packages from Debian. Debian 12 has no llhttp development package: its node-llhttp ships the
# library's C sources and header, which are compiled here; Debian 13 has libllhttp-dev.

include(GoogleTest)
find_package(GTest REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost REQUIRED COMPONENTS context)

find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
add_library(nur_package_libelf INTERFACE)
add_library(package::libelf ALIAS nur_package_libelf)
target_link_libraries(nur_package_libelf INTERFACE PkgConfig::LIBELF)

pkg_check_modules(LIBSECCOMP REQUIRED IMPORTED_TARGET libseccomp)
add_library(nur_package_libseccomp INTERFACE)
add_library(package::libseccomp ALIAS nur_package_libseccomp)
target_link_libraries(nur_package_libseccomp INTERFACE PkgConfig::LIBSECCOMP)

# Its headers alone: one translation unit includes them (host/config/toml_file.cc), and its library
# would be loaded by every nurhost for nothing.
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
add_library(nur_package_tomlplusplus INTERFACE)
add_library(package::tomlplusplus ALIAS nur_package_tomlplusplus)
target_include_directories(nur_package_tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE})

pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
add_library(nur_package_sqlite INTERFACE)
add_library(package::sqlite ALIAS nur_package_sqlite)
target_link_libraries(nur_package_sqlite INTERFACE PkgConfig::SQLITE)

pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
add_library(nur_package_curl INTERFACE)
add_library(package::curl ALIAS nur_package_curl)
target_link_libraries(nur_package_curl INTERFACE PkgConfig::CURL)

pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
add_library(nur_package_cares INTERFACE)
add_library(package::cares ALIAS nur_package_cares)
target_link_libraries(nur_package_cares INTERFACE PkgConfig::CARES)

find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/include /usr/share/include/llhttp)
find_library(LLHTTP_LIBRARY llhttp)
if(LLHTTP_INCLUDE AND LLHTTP_LIBRARY)
  add_library(nur_package_llhttp INTERFACE)
  target_link_libraries(nur_package_llhttp INTERFACE ${LLHTTP_LIBRARY})
  target_include_directories(nur_package_llhttp SYSTEM INTERFACE ${LLHTTP_INCLUDE})
elseif(LLHTTP_INCLUDE AND EXISTS /usr/share/llhttp/llhttp.c)
  add_library(nur_package_llhttp STATIC /usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c
                                        /usr/share/llhttp/http.c)
  target_include_directories(nur_package_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
  target_compile_options(nur_package_llhttp PRIVATE -w)  # not our code to warn about
  # llhttp 8 compiles its lenient machine unless told; 9 has the strict one only.
  target_compile_definitions(nur_package_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
else()
  message(FATAL_ERROR "llhttp not found: run ./dev setup (packages node-llhttp or libllhttp-dev)")
endif()
add_library(package::llhttp ALIAS nur_package_llhttp)
