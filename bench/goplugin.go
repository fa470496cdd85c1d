package main

import (
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

// hashicorp/go-plugin is the library with which Go programs usually call functions in child processes. It has neither
// chunks nor a pool; a caller with several jobs under way is a goroutine for each.

// handshake tells a child that it is a plugin.
var handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "JOBGEN_BENCH_PLUGIN", MagicCookieValue: "double"}

var plugins = map[string]plugin.Plugin{"double": doublePlugin{}}

type doublePlugin struct{}

func (doublePlugin) Server(*plugin.MuxBroker) (any, error) { return doubleServer{}, nil }
func (doublePlugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return c, nil
}

type doubleServer struct{}

// Double is the job.
func (doubleServer) Double(x float64, out *float64) error {
	*out = Double(x)
	return nil
}

// servePlugin makes this process a plugin if it was started as one.
func servePlugin() {
	if os.Getenv(handshake.MagicCookieKey) != handshake.MagicCookieValue {
		return
	}
	plugin.Serve(&plugin.ServeConfig{HandshakeConfig: handshake, Plugins: plugins, Logger: hclog.NewNullLogger()})
	os.Exit(0)
}

// pluginCalls measures n calls, one after the other, of each of some plugins. Their start does not count.
func pluginCalls(processes, n int) time.Duration {
	clients := make([]*rpc.Client, processes)
	for i := range clients {
		c := plugin.NewClient(&plugin.ClientConfig{
			HandshakeConfig: handshake, Plugins: plugins, Cmd: exec.Command(need(os.Executable())),
			Logger: hclog.NewNullLogger(), SyncStdout: io.Discard, SyncStderr: io.Discard,
		})
		defer c.Kill()
		protocol := need(c.Client())
		clients[i] = need(protocol.Dispense("double")).(*rpc.Client)
	}
	done := make(chan error, processes)
	return clocked(func() {
		for _, c := range clients {
			go func() {
				var out float64
				for i := range n {
					if err := c.Call("Plugin.Double", float64(i), &out); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range clients {
			check(<-done)
		}
	})
}
