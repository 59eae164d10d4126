# Builds the page with npm's parts and writes a C++ source that has its files in it:
#   cmake -DWEB=web -DBUILT=DIRECTORY -DSOURCE=page_files.cpp -P page.cmake
# Without node, npm and zopfli, or if they fail, that source has no files: a gateway without a page.
find_program(NODE NAMES node nodejs)
find_program(NPM npm)
find_program(ZOPFLI zopfli)

set(why "")
if(NOT NODE OR NOT NPM OR NOT ZOPFLI)
  set(why "node, npm or zopfli is not installed")
else()
  set(installed ${WEB}/node_modules/.package-lock.json)
  if(NOT EXISTS ${installed} OR ${WEB}/package-lock.json IS_NEWER_THAN ${installed})
    execute_process(COMMAND ${NPM} ci --no-audit --no-fund WORKING_DIRECTORY ${WEB}
      RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
    if(failed)
      set(why "npm ci failed")
      message(NOTICE ${said})
    else()
      file(TOUCH ${installed})
    endif()
  endif()
endif()
if(why STREQUAL "")
  execute_process(COMMAND ${NODE} build.mjs ${BUILT} WORKING_DIRECTORY ${WEB} RESULT_VARIABLE failed
    OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    message(FATAL_ERROR ${said})
  endif()
endif()

set(blobs "")
set(declarations "")
set(rows "")
if(why STREQUAL "")
  foreach(file IN ITEMS index.html page.js fr.js page.css page.svg)
    string(MAKE_C_IDENTIFIER ${file} base)
    set(forms "")
    foreach(form IN ITEMS plain gz br)
      set(path ${BUILT}/${file})
      if(NOT form STREQUAL plain)
        string(APPEND path .${form})
      endif()
      set(name eole_${base}_${form})
      string(APPEND blobs
        "    \"${name}: .incbin \\\"${path}\\\"\\n\"\n    \"${name}_end: .byte 0\\n\"\n")
      string(APPEND declarations "extern \"C\" const char ${name}[], ${name}_end[];\n")
      string(APPEND forms ", {${name}, ${name}_end}")
    endforeach()
    string(APPEND rows "    {\"${file}\"${forms}},\n")
  endforeach()
  set(blobs "asm(\n    \".section .rodata\\n\"\n${blobs}    \".previous\\n\");\n")
  set(rows "  static const PageFile files[] = {\n${rows}  };\n  return files;\n")
else()
  message(NOTICE "page: not built: ${why}")
  set(rows "  return {};\n")
endif()
file(WRITE ${SOURCE} "// Written by cmake/page.cmake.
#include \"gateway/io/page_files.hpp\"

${blobs}
${declarations}
namespace eole::gateway {

std::span<const PageFile> page_files() {
${rows}}

}  // namespace eole::gateway
")
