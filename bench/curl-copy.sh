#!/bin/bash
# One curl reads, another writes, AT-ONCE pairs at a time. PATHS is a file of paths, one a line; EACH go to one shell.
# usage: curl-copy.sh SOURCE-URL SOURCE DESTINATION-URL DESTINATION AT-ONCE PATHS EACH
export SOURCE="$1/webhdfs/v1$2" DESTINATION="$3/webhdfs/v1$4"

# A third curl asks where to write: what comes through a pipe cannot be sent again after a redirect.
copy='set -eo pipefail
for path; do
  to=$(curl -sSf -o /dev/null -w "%{redirect_url}" -X PUT "$DESTINATION$path?op=CREATE&user.name=root")
  curl -sSfL "$SOURCE$path?op=OPEN&user.name=root" | curl -sSf -o /dev/null -T - "$to"
done'
exec xargs -a "$6" -P "$5" -n "$7" bash -c "$copy" bash
