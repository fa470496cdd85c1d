package jobgen

import (
	"bytes"
	"context"
	"testing"
)

// An order to cancel reaches the chunk that it is about, be it there already or not, and no other.
func TestOrders(t *testing.T) {
	var o orders
	o.obey(order{chunk: 1}) // before there is anything
	if o.begin(1) {
		t.Error("a chunk was begun that is to end")
	}
	if !o.begin(2) {
		t.Error("the next chunk was not begun")
	}
	ctx := o.context()
	o.obey(order{chunk: 1})
	if ctx.Err() != nil {
		t.Error("the order was for the chunk before")
	}
	o.obey(order{chunk: 2})
	if ctx.Err() != context.Canceled {
		t.Error("the order for this chunk was not heard")
	}
	if !o.begin(3) {
		t.Error("the chunk after it was not begun")
	}
	ctx = o.context()
	o.obey(order{chunk: 3})
	if ctx.Err() == nil {
		t.Error("the new context does not end")
	}
	if !o.begin(4) || o.context().Err() != nil {
		t.Error("a context has ended before there was an order")
	}
	o.obey(order{chunk: 4})
	if o.context().Err() == nil {
		t.Error("a context that was made after the order goes on")
	}
	o.stop()
}

// Stacks of jobs come first, those of the machinery last.
func TestStackRank(t *testing.T) {
	job := []byte("goroutine 1\nmain.job()\ngithub.com/jobgen/jobgen/runtime.(*lane[go.shape.int]).try()\ngithub.com/jobgen/jobgen/runtime.(*processServer).step()")
	user := []byte("goroutine 2\nmain.background()")
	for _, own := range []string{"(*processServer).obey()", "(*outbox).flush()"} {
		if r := stackRank(bytes.Join([][]byte{[]byte("goroutine 3"), []byte("github.com/jobgen/jobgen/runtime." + own)}, []byte("\n"))); r <= stackRank(user) {
			t.Errorf("%s has rank %d", own, r)
		}
	}
	if stackRank(job) >= stackRank(user) {
		t.Error("a job comes after what runs in the background")
	}
}
