# shellcheck shell=sh
# jdk: prints the home of the first JDK of version 25 or newer that it finds: JAVA_HOME, the javac on the
# PATH, then the usual folders. A JDK's "release" file tells its version without starting it.
jdk() {
  javac=$(command -v javac 2>/dev/null || true)
  if [ -n "$javac" ]; then
    javac=$(readlink -f "$javac" 2>/dev/null || printf '%s' "$javac")
  fi
  for candidate in "${JAVA_HOME:-}" "${javac%/bin/javac}" /usr/lib/jvm/* /opt/*jdk* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/*; do
    if [ -x "$candidate/bin/javac" ] && [ -r "$candidate/release" ]; then
      version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$candidate/release")
      if [ "${version:-0}" -ge 25 ]; then
        printf '%s\n' "$candidate"
        return 0
      fi
    fi
  done
  echo "Fathom needs a JDK of version 25 or newer and found none: install one (Temurin 25, say), or set JAVA_HOME to it." >&2
  return 1
}
