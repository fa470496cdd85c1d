// Package jobgen runs the same typed function over many inputs.
package jobgen
