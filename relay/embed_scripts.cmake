# Writes OUT, a C++ source that holds the scripts FILES (separated by ';') as text:
#   cmake -DOUT=script_texts.cc "-DFILES=a.lua;b.lua" -P embed_scripts.cmake
set(cases "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND cases "    {\"${name}\", R\"lua(${text})lua\"},\n")
endforeach()
file(WRITE ${OUT} "// Generated from relay/scripts by relay/embed_scripts.cmake.
#include \"relay/script_texts.h\"

#include \"relay/check.h\"

namespace relay {

std::string_view ScriptText(std::string_view name) {
  struct Text {
    std::string_view name, text;
  };
  static constexpr Text kTexts[] = {
${cases}  };
  for (const Text& script : kTexts) {
    if (script.name == name) return script.text;
  }
  CheckFailed(\"there is a script of this name\", name.data(), 0);
}

}  // namespace relay
")
