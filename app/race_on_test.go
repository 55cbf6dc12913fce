//go:build race

package app

const racing = true
