package extract

import (
	"fmt"
	"go/token"
	"go/types"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// workerLocks finds the locks inside a worker's value.
func (x *extractor) workerLocks(self types.Type, at model.Pos) []model.Reason {
	if s, ok := self.Underlying().(*types.Struct); ok {
		var rs []model.Reason
		for f := range s.Fields() {
			rs = append(rs, x.locks("field "+f.Name(), f.Type(), x.fieldPos(f, at), nil)...)
		}
		if len(rs) > 0 {
			return rs
		}
	}
	return x.locks("the worker", self, at, nil)
}

// paramLocks finds the locks in what bind= copies.
func (x *extractor) paramLocks(sig *types.Signature, w *model.Worker) []model.Reason {
	var rs []model.Reason
	for v := range sig.Params().Variables() {
		for _, b := range w.Bound {
			if b.Name == v.Name() {
				rs = append(rs, x.locks("parameter "+v.Name(), v.Type(), b.Pos, nil)...)
			}
		}
	}
	return rs
}

// locks decides as vet's copylocks does: a lock is a struct whose pointer has Lock and Unlock and whose
// value has not. Pointers and interfaces are not followed, because a copy of them shares the lock.
func (x *extractor) locks(what string, t types.Type, at model.Pos, inside []types.Type) []model.Reason {
	for {
		a, ok := t.Underlying().(*types.Array)
		if !ok {
			break
		}
		t, what = a.Elem(), what+"[i]"
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for _, u := range inside {
		if types.Identical(u, t) {
			return nil
		}
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && isSyncNoCopy(n) {
		return []model.Reason{{What: what, Why: "must not be copied", Pos: at}}
	}
	if types.Implements(types.NewPointer(t), locker) && !types.Implements(t, locker) {
		return []model.Reason{{What: what, Why: "is a lock, " + x.typeName(t), Pos: at}}
	}
	for f := range s.Fields() {
		if len(x.locks("", f.Type(), at, append(inside, t))) == 0 {
			continue
		}
		if f.Pkg() == x.in.Types {
			return x.locks(what+"."+f.Name(), f.Type(), x.fieldPos(f, at), append(inside, t))
		}
		return []model.Reason{{What: what, Why: fmt.Sprintf("holds a lock, %s", x.typeName(t)), Pos: at}}
	}
	return nil
}

func isSyncNoCopy(n *types.Named) bool {
	pkg := n.Obj().Pkg()
	return n.Obj().Name() == "noCopy" && pkg != nil && (pkg.Path() == "sync" || pkg.Path() == "sync/atomic")
}

// locker is sync.Locker, made here because the package need not import sync.
var locker = func() *types.Interface {
	sig := types.NewSignatureType(nil, nil, nil, nil, nil, false)
	i := types.NewInterfaceType([]*types.Func{
		types.NewFunc(token.NoPos, nil, "Lock", sig),
		types.NewFunc(token.NoPos, nil, "Unlock", sig),
	}, nil)
	return i.Complete()
}()

// fieldPos is where a field is declared, if that is in this package.
func (x *extractor) fieldPos(f *types.Var, fallback model.Pos) model.Pos {
	if x.owns(f.Pos()) {
		return x.pos(f.Pos())
	}
	return fallback
}

// typeName writes a type for a message: foreign packages by their names, this one's without.
func (x *extractor) typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == x.in.Types {
			return ""
		}
		return p.Name()
	})
}
