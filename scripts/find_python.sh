#!/bin/sh
# find_python.sh VERSION...: print a command for the first of these versions that works.
# A name on the PATH may be a pyenv shim that refuses to run until a version is chosen,
# and a system Python may lack the modules that make virtual environments.

works() {
    "$1" -c "import ensurepip, sys, venv
sys.exit('%d.%d' % sys.version_info[:2] != '$2')" >/dev/null 2>&1
}

newest_of_pyenv() {
    found=$(pyenv versions --bare 2>/dev/null | grep "^$1\.[0-9]*$" | sort -V | tail -n 1)
    [ -n "$found" ] && echo "$(pyenv root)/versions/$found/bin/python"
}

for version in "$@"; do
    for candidate in "python$version" python3 python "$(newest_of_pyenv "$version")"; do
        if [ -n "$candidate" ] && works "$candidate" "$version"; then
            echo "$candidate"
            exit 0
        fi
    done
done
echo "No Python of version $(echo "$*" | sed 's/ / or /g') was found that can make" \
    "virtual environments. Install one (with its venv module), or name it with" \
    "PYTHON=... (the default environment) or PYTHON310=... (AllenNLP's)." >&2
exit 1
