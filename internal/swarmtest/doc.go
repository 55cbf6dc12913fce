// Package swarmtest tells stories of whole swarms: in one process over lines
// that are shaped like a home's, and of the real program on networks that are
// made for one test and taken away after it.
package swarmtest
