# Plants the defects of a table: copies the sources that it names, with every defect's text in place
# of the text that it replaces, and writes the table itself as a C++ source.
#   cmake -DROOT=<sources> -DTABLE=defects.cmake -DSCRIPT_TEXTS=<generated source of the scripts>
#         -DOUT=<folder> -P plant.cmake
# What a plant replaces must stand in its file exactly once. Otherwise the product has moved on and
# the defect with it: the build ends and says which.

cmake_minimum_required(VERSION 3.25)

set(number 0)
set(name "the mechanism itself")
set(copies "")
set(defects "")
set(script_plants "")

# defect(NUMBER NAME SCENARIO n PROMISE text... SHOWS text...)
function(defect new_number new_name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "SCENARIO" "PROMISE;SHOWS")
  math(EXPR expected "${number} + 1")
  if(NOT new_number EQUAL expected)
    message(FATAL_ERROR "defect ${new_number}: ${expected} comes next")
  endif()
  string(JOIN " " promise ${arg_PROMISE})
  string(JOIN " " shows ${arg_SHOWS})
  if(promise STREQUAL "" OR shows STREQUAL "" OR NOT arg_SCENARIO MATCHES "^[0-9]+$")
    message(FATAL_ERROR "defect ${new_number} (${new_name}) lacks SCENARIO, PROMISE or SHOWS")
  endif()
  set(number ${new_number} PARENT_SCOPE)
  set(name "${new_name}" PARENT_SCOPE)
  set(defects "${defects}    {${new_number}, R\"text(${new_name})text\",
     R\"text(${promise})text\",
     R\"text(${shows})text\", ${arg_SCENARIO}},\n" PARENT_SCOPE)
endfunction()

function(check_fits text from where)
  string(FIND "${text}" "${from}" first)
  string(FIND "${text}" "${from}" last REVERSE)
  if(first EQUAL -1)
    message(FATAL_ERROR "defect ${number} (${name}) no longer fits: ${where} lacks\n${from}")
  elseif(NOT first EQUAL last)
    message(FATAL_ERROR "defect ${number} (${name}) no longer fits: ${where} has twice\n${from}")
  endif()
endfunction()

# plant(FILE FROM TO), after the defect that it belongs to.
function(plant file from to)
  if(NOT ARGC EQUAL 3)
    message(FATAL_ERROR "defect ${number} (${name}): a \"]]\" in a text for ${file} ends it, take [=[ ]=]")
  endif()
  set(source ${ROOT}/${file})
  if(file STREQUAL "relay/script_texts.cc")
    set(source ${SCRIPT_TEXTS})
  endif()
  file(READ ${source} original)
  check_fits("${original}" "${from}" "${file}")
  if(file MATCHES "^relay/scripts/([a-z_]+)\\.lua$")
    set(script_plants "${script_plants}    {${number}, \"${CMAKE_MATCH_1}\",
     R\"lua(${from})lua\",
     R\"lua(${to})lua\"},\n" PARENT_SCOPE)
    return()
  endif()
  if(number GREATER 0 AND NOT to MATCHES "planted(_one_in)?\\(${number}[,)]")
    message(FATAL_ERROR "defect ${number} (${name}): what is planted in ${file} never asks for it")
  endif()
  if(NOT file IN_LIST copies)
    list(APPEND copies ${file})
    set(copies "${copies}" PARENT_SCOPE)
    # Messages of the compiler and of broken invariants name the source that was copied.
    set(text_${file} "#include \"tests/chaos/defects/planted.h\"\n#line 1 \"${source}\"\n${original}")
  endif()
  check_fits("${text_${file}}" "${from}" "${file} with the defects before this one")
  string(REPLACE "${from}" "${to}" changed "${text_${file}}")
  set(text_${file} "${changed}" PARENT_SCOPE)
endfunction()

function(write_when_changed path text)
  if(EXISTS ${path})
    file(READ ${path} before)
    if(before STREQUAL text)
      return()
    endif()
  endif()
  file(WRITE ${path} "${text}")
endfunction()

include(${TABLE})

foreach(file IN LISTS copies)
  write_when_changed(${OUT}/${file} "${text_${file}}")
endforeach()
write_when_changed(${OUT}/defect_table.cc "// Generated from tests/chaos/defects/defects.cmake.
#include \"tests/chaos/defects/defect_table.h\"

namespace relay {

std::span<const PlantedDefect> PlantedDefects() {
  static constexpr PlantedDefect kDefects[] = {
${defects}  };
  return kDefects;
}

std::span<const ScriptPlant> ScriptPlants() {
  static constexpr ScriptPlant kPlants[] = {
${script_plants}  };
  return kPlants;
}

}  // namespace relay
")
