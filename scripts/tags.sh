# Build tags, to be sourced: of the programs, and of tests and checks, where
# Fyne's drawing needs neither display nor OpenGL.
TUBER_TAGS=no_emoji,migrated_fynedo
TUBER_TEST_TAGS=ci,$TUBER_TAGS
export TUBER_TAGS TUBER_TEST_TAGS
