package wire

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/jobgen/jobgen/internal/testseed"
)

type item struct {
	N    int
	Name string
	None []struct{}
}

func appendItem(b []byte, v *item) []byte {
	return AppendEmpties(AppendString(AppendInt(b, &v.N), &v.Name), &v.None)
}

func readItem(d *Decoder, v *item) {
	ReadInt(d, &v.N)
	ReadString(d, &v.Name)
	ReadEmpties(d, &v.None)
}

// Many values in one call are encoded and decoded as one by one.
func TestEach(t *testing.T) {
	appendAll, readAll := AppendEach(appendItem), ReadEach(readItem)
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) item {
			v := item{N: rapid.Int().Draw(t, "n"), Name: rapid.String().Draw(t, "name")}
			if n := rapid.IntRange(0, MaxEmpties).Draw(t, "none"); n > 0 {
				v.None = make([]struct{}, n)
			}
			return v
		}), 0, 20).Draw(t, "items")
		most := rapid.IntRange(1, 300).Draw(t, "most")

		want := []byte("before")
		var wantEnds []int
		for i := range items {
			want = appendItem(want, &items[i])
			if wantEnds = append(wantEnds, len(want)); len(want) >= most {
				break
			}
		}
		items = items[:len(wantEnds)]
		b, ends := appendAll([]byte("before"), items, nil, most)
		if !bytes.Equal(b, want) || !reflect.DeepEqual(ends, wantEnds) {
			t.Fatalf("%q with ends %v, want %q with %v", b, ends, want, wantEnds)
		}
		b = b[len("before"):]

		got := make([]item, len(items))
		n, rest, err := readAll(append(b[:len(b):len(b)], "after"...), got)
		if n != len(items) || string(rest) != "after" || err != nil || !reflect.DeepEqual(got, append([]item{}, items...)) {
			t.Fatalf("%v, %d of them, %q left, %v; want %v", got, n, rest, err, items)
		}

		// Of a message that is cut short, what is whole is read.
		cut := rapid.IntRange(0, len(b)).Draw(t, "cut")
		whole := 0
		for whole < len(ends) && ends[whole]-len("before") <= cut {
			whole++
		}
		got = make([]item, len(items))
		n, _, err = readAll(b[:cut:cut], got)
		if n != whole || (err == nil) != (whole == len(items)) || !reflect.DeepEqual(got[:n], append([]item{}, items[:n]...)) {
			t.Fatalf("%v, %d of them, %v; want %d of %v", got, n, err, whole, items)
		}
		if n < len(got) && !reflect.DeepEqual(got[n], item{}) {
			t.Fatalf("what was not read is %v", got[n])
		}
	})
}
