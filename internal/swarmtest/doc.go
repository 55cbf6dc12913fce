// Package swarmtest tells stories of whole swarms: the real program, on
// networks that are made for one test and taken away after it.
package swarmtest
