# Every dependency comes from the distribution. Third-party headers are system headers: their
# warnings are not ours.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(Catch2 2.13 REQUIRED)

pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3.3)
add_library(zmq ALIAS PkgConfig::ZMQ)

pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)
add_library(tomlplusplus ALIAS PkgConfig::TOMLPP)

pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
add_library(isal ALIAS PkgConfig::ISAL)

pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
add_library(sqlite ALIAS PkgConfig::SQLITE)

# Time zones. Only programs that ask for one load it: tasks start processes that do not.
find_package(date REQUIRED)
add_library(date-zones INTERFACE)
target_include_directories(date-zones SYSTEM INTERFACE
  $<TARGET_PROPERTY:date::date-tz,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(date-zones INTERFACE
  $<TARGET_PROPERTY:date::date-tz,INTERFACE_COMPILE_DEFINITIONS>)
target_link_options(date-zones INTERFACE -Wl,--as-needed)
target_link_libraries(date-zones INTERFACE date::date-tz)

# The programs' malloc; a sanitizer brings its own.
pkg_check_modules(TCMALLOC REQUIRED IMPORTED_TARGET libtcmalloc_minimal)
add_library(tcmalloc ALIAS PkgConfig::TCMALLOC)

# msgpack-c is header only here; without Boost.
find_path(MSGPACK_INCLUDE msgpack.hpp REQUIRED)
add_library(msgpack-cxx INTERFACE)
target_include_directories(msgpack-cxx SYSTEM INTERFACE ${MSGPACK_INCLUDE})
target_compile_definitions(msgpack-cxx INTERFACE MSGPACK_NO_BOOST)

find_path(STB_INCLUDE stb/stb_image.h REQUIRED)
add_library(stb INTERFACE)
target_include_directories(stb SYSTEM INTERFACE ${STB_INCLUDE})

# Pictures, in eole-picture alone.
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg)
add_library(jpeg ALIAS PkgConfig::JPEG)
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)
add_library(png ALIAS PkgConfig::PNG)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp libwebpmux libwebpdemux)
add_library(webp ALIAS PkgConfig::WEBP)
pkg_check_modules(TIFF REQUIRED IMPORTED_TARGET libtiff-4)
add_library(tiff ALIAS PkgConfig::TIFF)
find_package(GIF 5 REQUIRED)
add_library(gif ALIAS GIF::GIF)
pkg_check_modules(LCMS REQUIRED IMPORTED_TARGET lcms2)
add_library(lcms ALIAS PkgConfig::LCMS)

# HTTP and its loop, in the gateway alone. Only headers.
find_package(Boost 1.74 REQUIRED)
