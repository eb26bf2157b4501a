import type { Grammar } from "./grammar.ts";
import { parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { print } from "./output.ts";

/** `completion` */
export const COMPLETION: Grammar = {
  command: "completion",
  operands: "bash|zsh|fish",
  summary: "Print a script that completes words on a shell's command line",
  examples: [
    ["minictr completion bash >/etc/bash_completion.d/minictr", "for all users of bash"],
    ["minictr completion fish >~/.config/fish/completions/minictr.fish", "for fish"],
  ],
  groups: [],
};

/**
 * Bash cuts words at "=" and ":", and puts what is offered behind the last of them: what stands in
 * front of it there is taken off.
 */
const BASH = `# Completes minictr on bash's command line: minictr itself says what may follow.
_minictr() {
  local line word means cut words=() IFS=$' \\t\\n'
  COMPREPLY=()
  read -ra words <<<"\${COMP_LINE:0:COMP_POINT}"
  [[ \${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=('')
  line=\${words[-1]}
  cut=\${line%"\${line##*[=:]}"}
  while IFS=$'\\t' read -r word means; do
    if [[ $word == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do
        COMPREPLY+=("$word")
      done < <(compgen -f -- "\${line##*[=:]}")
    elif [[ -n $word ]]; then
      [[ $word == *[=:] ]] && compopt -o nospace 2>/dev/null
      COMPREPLY+=("\${word#"$cut"}")
    fi
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -F _minictr minictr
`;

const ZSH = `#compdef minictr
# Completes minictr on zsh's command line: minictr itself says what may follow.
_minictr() {
  local line word files=
  local -a plain open
  for line in "\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    word=\${line%%$'\\t'*}
    case $word in
      :files) files=1 ;;
      *[=:]) open+=("$word") ;;
      ?*) plain+=("$word") ;;
    esac
  done
  (( \${#plain} )) && compadd -- "\${plain[@]}"
  (( \${#open} )) && compadd -S '' -- "\${open[@]}"
  [[ -n $files ]] && _files
  return 0
}
compdef _minictr minictr
`;

const FISH = `# Completes minictr on fish's command line: minictr itself says what may follow.
function __minictr_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c minictr -f -a '(__minictr_complete)'
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/** `minictr completion bash|zsh|fish` */
export function run(args: string[]): Promise<number> {
  const { operands: [shell = "", extra], help } = parseCommandLine(COMPLETION, args);
  if (help) {
    print(`${helpText(COMPLETION)}\n`);
    return Promise.resolve(0);
  }
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined || extra !== undefined) {
    throw wrongUse(COMPLETION, '"completion" takes bash, zsh or fish');
  }
  print(script);
  return Promise.resolve(0);
}
