# bash completion for tuber-app
_tuber_app() {
  local cur=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  if [ "${COMP_WORDS[COMP_CWORD-1]}" = --state ]; then
    COMPREPLY=($(compgen -d -- "$cur"))
  else
    COMPREPLY=($(compgen -W "--hidden --quit --state --no-upnp --verbose --version --help" -- "$cur"))
  fi
}
complete -F _tuber_app tuber-app
