package cluster

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ShortTimes has this process see sooner who is there and who is dead.
func ShortTimes() {
	serverGone = 45 * time.Second // machines have been seen to stand still for 20
	presenceEvery, presenceGone = 500*time.Millisecond, 3*time.Second
	leaseEvery, leaseGone = 500*time.Millisecond, 3*time.Second
	restAfter = 4 * time.Second
}

// SetFault sets what is asked before and after each message that is stored or acknowledged.
func SetFault(f func(point string) error) { fault = f }

// JetStream is the connection of c.
func JetStream(c *Cluster) jetstream.JetStream { return c.conn.js }

// MakeBuckets makes what the first driver makes.
func MakeBuckets(c *Cluster) error {
	_, err := openBuckets(context.Background(), c.conn, c.opts.Replicas)
	return err
}
