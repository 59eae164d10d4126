# What `cmake --install` and the Debian packages (`cpack`) hold, from the build directory as it is.
#   eole: programs, page, man pages, completion, services   dev: find_package(eole)   python: `import eole`
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Programs find one another beside themselves, in a directory of their own: sink and worker are no
# names for a PATH. There they are eole-sink, eole-worker.
set(programs_dir ${CMAKE_INSTALL_LIBEXECDIR}/eole)
set(roles ventilator sink gateway relay worker)
install(TARGETS eole_bin_eole eole_bin_ventilator eole_bin_sink eole_bin_gateway eole_bin_relay eole_bin_worker
  eole_bin_eole-picture eole_bin_eole-runner RUNTIME DESTINATION ${programs_dir} COMPONENT eole)
file(RELATIVE_PATH to_programs /${CMAKE_INSTALL_BINDIR} /${programs_dir})
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/links)
file(CREATE_LINK ${to_programs}/eole ${CMAKE_BINARY_DIR}/links/eole SYMBOLIC)
foreach(role IN LISTS roles)
  file(CREATE_LINK ${to_programs}/${role} ${CMAKE_BINARY_DIR}/links/eole-${role} SYMBOLIC)
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/links/ DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT eole)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(share ${CMAKE_BINARY_DIR}/share)
add_custom_command(OUTPUT ${share}/eole COMMENT "Writing man pages and completion"
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/deploy/share.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${share}
    ${PROJECT_VERSION}
  DEPENDS deploy/share.py eole_bin_eole eole_bin_ventilator eole_bin_sink eole_bin_gateway eole_bin_relay
    eole_bin_worker)
add_custom_target(share ALL DEPENDS ${share}/eole)
add_dependencies(programs share)
install(DIRECTORY ${share}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT eole)
install(FILES ${share}/eole DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT eole)
install(FILES ${share}/_eole DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT eole)
install(FILES ${share}/eole.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT eole)
install(DIRECTORY deploy/systemd/ DESTINATION lib/systemd/system COMPONENT eole)

# One library of all that a client or a runner needs. No ABI yet: headers and library are of one build.
set(client_libraries base protocol kinds net process client_core client_session client_tasks client
  worker_frames)
list(TRANSFORM client_libraries REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE client_objects)
add_library(eole_installed STATIC ${client_objects})
set_target_properties(eole_installed PROPERTIES OUTPUT_NAME eole EXPORT_NAME client LINKER_LANGUAGE CXX)
target_compile_features(eole_installed PUBLIC cxx_std_20)
target_link_libraries(eole_installed PUBLIC Threads::Threads PkgConfig::ZMQ PkgConfig::TOMLPP PkgConfig::ISAL
  OpenSSL::Crypto spdlog::spdlog date::date-tz)
add_dependencies(programs eole_installed)
install(TARGETS eole_installed EXPORT eole ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/eole)
foreach(dir IN ITEMS common/base common/protocol common/kinds common/net common/process clients/cpp
    worker/runners/frames)
  install(DIRECTORY ${dir}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/eole/${dir} COMPONENT dev
    FILES_MATCHING PATTERN "*.hpp")
endforeach()
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/eole)
install(EXPORT eole NAMESPACE eole:: FILE eole-targets.cmake DESTINATION ${config_dir} COMPONENT dev)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/eole-config-version.cmake COMPATIBILITY ExactVersion)
install(FILES cmake/eole-config.cmake ${CMAKE_BINARY_DIR}/eole-config-version.cmake DESTINATION ${config_dir}
  COMPONENT dev)

install(DIRECTORY clients/python/eole DESTINATION lib/python3/dist-packages COMPONENT python
  FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL eole dev python)
set(CPACK_PACKAGE_CONTACT "Eole <eole@eole.invalid>")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(what "Distributed task fabric without a broker")
set(CPACK_DEBIAN_EOLE_PACKAGE_NAME eole)
set(CPACK_DEBIAN_EOLE_DESCRIPTION "${what}\nVentilator, workers, sink, gateway, the command eole and services.")
set(CPACK_DEBIAN_EOLE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_EOLE_PACKAGE_DEPENDS "adduser, ca-certificates, tzdata")
foreach(script IN ITEMS postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_EOLE_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/deploy/debian/${script})
endforeach()
set(CPACK_DEBIAN_DEV_PACKAGE_NAME eole-dev)
set(CPACK_DEBIAN_DEV_DESCRIPTION "${what}: C++ library\nHeaders and a static library. There is no ABI yet.")
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libzmq3-dev, libtomlplusplus-dev, libisal-dev, libssl-dev, libspdlog-dev, libhowardhinnant-date-dev, pkg-config")
set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-eole)
set(CPACK_DEBIAN_PYTHON_DESCRIPTION "${what}: Python client")
set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3 (>= 3.11), python3-zmq, python3-msgpack")
foreach(component IN ITEMS eole dev python)
  string(TOUPPER ${component} upper)
  install(FILES LICENSE RENAME copyright COMPONENT ${component}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
endforeach()
include(CPack)
