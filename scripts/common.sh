# Sourced by scripts/run and scripts/test: steps that say what they do and how long they took, and
# the installation of the packages.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs
mkdir -p "$logs"

# step NAME COMMAND...: runs the command with its output in build/logs/NAME.log and prints one line.
# When the command fails, the end of its output is shown and the script ends with its status.
step() {
  local name=$1 begin=$SECONDS status=0
  shift
  local log=$logs/${name// /-}.log
  printf '%-28s ' "$name ..."
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    printf 'failed after %d s\n\n' $((SECONDS - begin))
    tail -n 60 "$log"
    printf '\n%s failed; the whole output is in %s\n' "$name" "${log#"$root"/}"
    exit "$status"
  fi
  printf 'done in %d s\n' $((SECONDS - begin))
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "installing packages needs root or sudo: $*"
    return 1
  fi
}

# missing_packages [TAG]: of the lines without a tag, and of those that end in @TAG.
missing_packages() {
  local line package
  while read -r line; do
    case $line in
      *" @${1:-}") line=${line% @*} ;;
      *" @"*) continue ;;
    esac
    package=${line%%\?*}
    if [ "$package" != "$line" ] && command -v "${line#*\?}" >/dev/null; then continue; fi
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done < <(sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$root/scripts/packages")
}

# install_packages [TAG]: installs what is missing. Debian starts a system-wide Redis, and an nginx,
# when its package is installed; ours are private, so that start is forbidden while we install
# (policy-rc.d, where there is none yet).
install_packages() {
  local missing status=0 policy=/usr/sbin/policy-rc.d
  missing=$(missing_packages "${1:-}")
  [ -n "$missing" ] || return 0
  echo "installing:" $missing
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
  else
    policy=
  fi
  {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
      as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $missing
  } || status=$?
  [ -z "$policy" ] || as_root rm -f "$policy"
  return "$status"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  (cd "$root" && cmake --preset "$preset" && cmake --build "build/$preset" ${*:+--target "$@"})
}
