# Greps the tree for what the layout forbids: includes against the arrows, C libraries outside the
# files that own them, clocks and random sources outside theirs, Redis verbs that move events
# outside their one place. Run as: cmake -DROOT=<source folder> -P layering_test.cmake

# forbid(WHAT REGEX WHY [IN folder...] [EXCEPT file-regex])
function(forbid what regex why)
  cmake_parse_arguments(arg "" "EXCEPT" "IN" ${ARGN})
  foreach(folder IN LISTS arg_IN)
    file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.cc)
    foreach(file IN LISTS files)
      if(arg_EXCEPT AND file MATCHES "${arg_EXCEPT}")
        continue()
      endif()
      file(STRINGS ${ROOT}/${file} lines REGEX "${regex}")
      foreach(line IN LISTS lines)
        # What a comment says is not what the code does.
        if(line MATCHES "^ *(//|\\*)")
          continue()
        endif()
        message(SEND_ERROR "${file}: ${what}: ${line}\n  ${why}")
      endforeach()
    endforeach()
  endforeach()
endfunction()

set(programs broker workers console cli)
set(all relay ${programs})

forbid("include against the arrows" "#include \"(broker|workers|console|cli|tests|bench)/"
       "relay/ is below the programs" IN relay)
foreach(program IN LISTS programs)
  set(others ${programs})
  list(REMOVE_ITEM others ${program})
  string(JOIN "|" others ${others})
  forbid("include against the arrows" "#include \"(${others}|tests|bench)/"
         "the programs meet only in Redis" IN ${program})
endforeach()

forbid("libevent outside its files" "#include <event2/"
       "ask EventLoop, Transport or HttpServer" IN ${all}
       EXCEPT "^(relay/(event_loop|transport|http_server[a-z_]*|redis_connection)|workers/(http_client|resolver)[a-z_]*|cli/simulate[a-z_]*)\\.(cc|h)$")
forbid("hiredis outside its file" "#include <hiredis/" "ask RedisReader" IN ${all}
       EXCEPT "^relay/redis_reader\\.cc$")
forbid("libcurl outside its file" "#include <curl/" "ask HttpClient" IN ${all}
       EXCEPT "^workers/(http_client[a-z_]*|curl_[a-z_]*)\\.(cc|h)$")
forbid("c-ares outside its file" "#include <ares" "ask Resolver" IN ${all}
       EXCEPT "^workers/resolver[a-z_]*\\.cc$")
forbid("zlib outside its file" "#include <zlib" "ask ArchiveFile" IN ${all}
       EXCEPT "^workers/archive_file\\.cc$")
forbid("a clock outside its file"
       "(steady_clock::now|system_clock::now|clock_gettime|gettimeofday|[^_a-zA-Z]time\\((NULL|nullptr)\\))"
       "ask a Clock" IN ${all} EXCEPT "^relay/clock\\.cc$")
forbid("a random source outside its file" "(std::mt19937|std::random_device|[^_a-z]rand\\(\\)|getrandom)"
       "ask a Random" IN ${all} EXCEPT "^relay/random\\.cc$")
forbid("a Redis verb outside its one place"
       "\"(XACK|XDEL|XREADGROUP|XCLAIM|XAUTOCLAIM|XTRIM|ZREM|XGROUP)\""
       "what moves or releases events stands in relay/redis_scripts" IN ${all}
       EXCEPT "^relay/redis_scripts[a-z_]*\\.cc$")
