how="-A --quiet --no-config --no-lock --no-remote --no-npm --cached-only"

# What V8 has compiled is kept with the program; made with other flags it is of no use. "--whole" in
# front asks for the program that has all.
choose() { # DIRECTORY ARGUMENT...
  case ${2-} in
    --root) command=${4-} ;;
    --root=*) command=${3-} ;;
    *) command=${2-} ;;
  esac
  case $command in
    @HOT@)
      program=$1/$command.js
      export DENO_DIR="$1/cache/hot"
      export DENO_V8_FLAGS=@HOT_V8_FLAGS@
      ;;
    *)
      program=$1/whole.js
      export DENO_DIR="$1/cache/whole" DENO_V8_FLAGS=--no-lazy
      ;;
  esac
  # How the program is started again, by what needs it when a container has ended.
  export MINICTR_SELF="$1/start" DENO_NO_UPDATE_CHECK=1
}

start() { # DIRECTORY ARGUMENT...
  choose "$@"
  deno=$1/deno
  shift
  [ "${1-}" != --whole ] || shift
  exec "$deno" run $how "$program" "$@"
}
