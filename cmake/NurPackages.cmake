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
# package::NAME is what pkg-config knows as MODULE.
function(nur_pkg_config_package name module)
  pkg_check_modules(nur_pc_${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  add_library(nur_package_${name} INTERFACE)
  add_library(package::${name} ALIAS nur_package_${name})
  target_link_libraries(nur_package_${name} INTERFACE PkgConfig::nur_pc_${name})
endfunction()
nur_pkg_config_package(libelf libelf)
nur_pkg_config_package(libseccomp libseccomp)

# Its headers alone: one translation unit includes them (host/config/toml_file.cc), and its library
# would be loaded by every nurhost for nothing.
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
add_library(nur_package_tomlplusplus INTERFACE)
add_library(package::tomlplusplus ALIAS nur_package_tomlplusplus)
target_include_directories(nur_package_tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE})

nur_pkg_config_package(sqlite sqlite3)
nur_pkg_config_package(curl libcurl)
nur_pkg_config_package(cares libcares)

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
