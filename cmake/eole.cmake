# eole_library(name dir [LINK ours...] [PRIVATE theirs...]): every .cpp of one directory.
# eole_program(name source [LINK ours...] [PRIVATE theirs...]): one main.cpp.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER  # As it must be told to take part in precompiled headers.
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_library(eole_options INTERFACE)
target_include_directories(eole_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(eole_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-sign-conversion -Wnon-virtual-dtor $<$<BOOL:${EOLE_WERROR}>:-Werror>)
target_compile_definitions(eole_options INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(eole_options INTERFACE Threads::Threads)
set(sanitizers_address -fsanitize=address,undefined -fno-sanitize-recover=undefined)
set(sanitizers_thread -fsanitize=thread)
set(sanitizers_fuzz -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
if(EOLE_SANITIZE)
  target_compile_options(eole_options INTERFACE ${sanitizers_${EOLE_SANITIZE}}
    -fno-omit-frame-pointer)
  target_link_options(eole_options INTERFACE ${sanitizers_${EOLE_SANITIZE}})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # GCC 12 sees ghosts in instrumented std::optional.
    target_compile_options(eole_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

# The faults are in the sources that ask for them: the others are those of the release.
function(eole_plant)
  if(EOLE_PLANTED)  # One more may ask.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
  endif()
  foreach(source IN LISTS ARGN)
    file(STRINGS ${source} asks REGEX "planted\\(\"" LIMIT_COUNT 1)
    if(EOLE_PLANTED AND asks)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS EOLE_PLANTED)
    endif()
  endforeach()
endfunction()

function(eole_library name dir)
  cmake_parse_arguments(ARG "" "" "LINK;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*.cpp)
  add_library(${name} STATIC ${sources})
  eole_plant(${sources})
  target_link_libraries(${name} PUBLIC eole_options ${ARG_LINK} PRIVATE ${ARG_PRIVATE})
endfunction()

function(eole_program name source)
  cmake_parse_arguments(ARG "" "" "LINK;PRIVATE" ${ARGN})
  add_executable(eole_bin_${name} ${CMAKE_SOURCE_DIR}/${source})
  set_target_properties(eole_bin_${name} PROPERTIES OUTPUT_NAME ${name})
  target_link_libraries(eole_bin_${name} PRIVATE eole_options ${ARG_LINK} ${ARG_PRIVATE}
    $<$<NOT:$<BOOL:${EOLE_SANITIZE}>>:tcmalloc>)
endfunction()
