// Package tests builds a release as make release does, and then installs,
// uses and removes each package as its user would: on a clean Debian, in a home
// folder, by rpm, and by Windows' installer under wine. It needs root on Debian
// and takes minutes: go test -tags packages, as make test-packages does.
//
// Invariant: the machine is left as it was. Everything is done in folders of
// the test's own, which TUBER_PACKAGES_KEEP keeps.
package tests
