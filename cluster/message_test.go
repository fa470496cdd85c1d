package cluster

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
)

func drawBlob(t *rapid.T) *blobRef {
	if !rapid.Bool().Draw(t, "blob") {
		return nil
	}
	size := rapid.Int64Range(1, 5*partBytes).Draw(t, "size")
	ref := &blobRef{Size: size}
	for i := range (size + partBytes - 1) / partBytes {
		ref.Parts = append(ref.Parts, digestOf([]byte{byte(i)}))
	}
	return ref
}

func drawBytes(t *rapid.T, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, label)
}

func TestChunkMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := chunkMessage{
			Epoch: rapid.Uint64().Draw(t, "epoch"), Number: rapid.Uint64().Draw(t, "number"),
			First: rapid.IntRange(0, 1<<40).Draw(t, "first"), Attempt: rapid.IntRange(0, 9).Draw(t, "attempt"), Digests: rapid.Bool().Draw(t, "digests"),
			Inputs: []jobInput{},
		}
		for range rapid.IntRange(0, 20).Draw(t, "jobs") {
			in := jobInput{Blob: drawBlob(t)}
			if in.Blob == nil {
				in.Bytes = drawBytes(t, "input")
			}
			m.Inputs = append(m.Inputs, in)
		}
		b := m.append(nil)
		got, err := readChunk(b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v came back as %+v, %v", m, got, err)
		}
		if cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut"); cut < len(b) {
			if _, err := readChunk(b[:cut]); err == nil {
				t.Fatalf("%d of %d bytes are decoded", cut, len(b))
			}
		}
	})
}

func TestResultMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(0, rapid.Int64Range(0, 1<<60).Draw(t, "start"))
		m := resultMessage{
			Epoch: rapid.Uint64().Draw(t, "epoch"), Number: rapid.Uint64().Draw(t, "number"), Agent: rapid.String().Draw(t, "agent"),
			Took: time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "took")), Last: rapid.Bool().Draw(t, "last"), Start: start,
			Begun: rapid.IntRange(-1, 1000).Draw(t, "begun"), Dones: []doneRecord{},
		}
		if rapid.Bool().Draw(t, "fatal") {
			m.Fatal = []byte("an error")
		}
		for range rapid.IntRange(0, 20).Draw(t, "jobs") {
			d := doneRecord{
				Index: rapid.IntRange(0, 1<<40).Draw(t, "index"), Worker: rapid.SampledFrom([]string{"", "process-1 (pid 7)", "process-2 (pid 8)"}).Draw(t, "worker"),
				Start:   start.Add(time.Duration(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "begin"))),
				Elapsed: time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "elapsed")), Failed: rapid.Bool().Draw(t, "failed"),
				Digest: rapid.Uint32().Draw(t, "digest"), Blob: drawBlob(t),
			}
			if d.Blob == nil {
				d.Bytes = drawBytes(t, "result")
			}
			m.Dones = append(m.Dones, d)
		}
		b := m.append(nil)
		got, err := readResult(b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v came back as %+v, %v", m, got, err)
		}
		if _, err := readResult(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("a message that is cut short is decoded")
		}
	})
}

func FuzzChunk(f *testing.F) {
	ref := blobRef{Size: 10, Parts: [][32]byte{digestOf(nil)}}
	m := chunkMessage{Epoch: 3, Number: 4, First: 5, Attempt: 1, Inputs: []jobInput{{Bytes: []byte("abc")}, {Blob: &ref}, {Bytes: nil}}}
	f.Add(m.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readChunk(b)
		if err != nil {
			return
		}
		total := 0
		for _, in := range m.Inputs {
			total += len(in.Bytes)
		}
		if total > len(b) || len(m.Inputs) > len(b) {
			t.Fatalf("%d bytes of %d inputs in a message of %d", total, len(m.Inputs), len(b))
		}
		if again, err := readChunk(m.append(nil)); err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v came back as %+v, %v", m, again, err)
		}
	})
}

func FuzzResult(f *testing.F) {
	m := resultMessage{Epoch: 3, Number: 4, Agent: "a", Begun: -1, Start: time.Unix(0, 5), Dones: []doneRecord{{Index: 7, Start: time.Unix(0, 6), Bytes: []byte("x"), Worker: "w"}}}
	f.Add(m.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readResult(b)
		if err != nil {
			return
		}
		if len(m.Dones) > len(b) {
			t.Fatalf("%d results in a message of %d bytes", len(m.Dones), len(b))
		}
		again, err := readResult(m.append(nil))
		if err != nil || len(again.Dones) != len(m.Dones) {
			t.Fatalf("%+v came back as %+v, %v", m, again, err)
		}
		for i := range m.Dones {
			if !bytes.Equal(again.Dones[i].Bytes, m.Dones[i].Bytes) || again.Dones[i].Index != m.Dones[i].Index {
				t.Fatalf("%+v came back as %+v", m.Dones[i], again.Dones[i])
			}
		}
	})
}
