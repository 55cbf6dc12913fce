# Build tags, to be sourced: of the programs, and of tests and checks, where
# Fyne's drawing needs neither display nor OpenGL.
TUBER_TAGS=no_emoji,migrated_fynedo
TUBER_TEST_TAGS=ci,$TUBER_TAGS
# cgo finds out what each C name is by thousands of errors in one file, and gcc
# looks for a similar name for each that it does not know: minutes for OpenGL's
# bindings. With this name known, each is another error, which costs nothing.
quick=-D__cgo_undefined__2=__builtin_abort
case $(uname)${CGO_CFLAGS:=-O2 -g} in
  *$quick*) ;;
  Linux*) CGO_CFLAGS="$CGO_CFLAGS $quick"; export CGO_CFLAGS ;;
esac
# How the program with a window is compiled for Linux, in bin/ and in packages:
# alike, so that it is done once.
TUBER_APP_FLAGS="-trimpath -buildmode=pie -tags=$TUBER_TAGS"
export TUBER_TAGS TUBER_TEST_TAGS TUBER_APP_FLAGS
