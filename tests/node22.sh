# shellcheck shell=bash
# For scripts that install what runs on Node.

find_node22() { # the machine's own, or what the lock file in that folder brought for Linux
  local node
  for node in "$(command -v node || true)" "$1"/node_modules/node-linux-*/bin/node; do
    if [ -x "$node" ] && "$node" -e 'process.exit(process.versions.node.split(".")[0] < 22 ? 1 : 0)' 2>/dev/null; then
      printf '%s\n' "$node"
      return
    fi
  done
  printf 'no Node 22 or later in %s\n' "$1" >&2
  return 1
}
