package cluster

import (
	"github.com/nats-io/nats.go"
)

// onLost has f called when the connection is of no more use: the credentials are refused, or a permission is missing
// without which some message was dropped for which nobody waits.
func (c *conn) onLost(f func(error)) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := c.next
	c.next++
	c.users[key] = f
	if c.lost != nil {
		go f(c.lost)
	}
	return func() {
		c.mu.Lock()
		delete(c.users, key)
		c.mu.Unlock()
	}
}

// lose tells all users, and those to come if it is for ever.
func (c *conn) lose(err error, forever bool) {
	c.mu.Lock()
	if c.lost != nil || c.closing {
		c.mu.Unlock()
		return
	}
	if forever {
		c.lost = err
	}
	var users []func(error)
	for _, f := range c.users {
		users = append(users, f)
	}
	c.mu.Unlock()
	c.log.Error("the connection to the cluster is of no use", "error", err)
	for _, f := range users {
		f(err)
	}
}

// closed is told when the client library gives up: a server has refused the credentials twice.
func (c *conn) closed(nc *nats.Conn) {
	c.mu.Lock()
	err := c.refused
	c.mu.Unlock()
	if err == nil {
		err = nc.LastError()
	}
	if err == nil {
		err = nats.ErrConnectionClosed
	}
	c.lose(explain("keeping the connection", err), true)
}
