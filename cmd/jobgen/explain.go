package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/check"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/load"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

var codePattern = regexp.MustCompile(`^(?i:JG)\d{3}$`)

// explainCommand prints what jobgen knows of workers and error types, or what an error code means.
func explainCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := newFlags("jobgen explain", stderr, &o)
	if code, done := parseFlags(flags, args); done {
		return code
	}
	out := &printer{o: o, stdout: stdout, stderr: stderr}
	var wanted []string
	for _, a := range flags.Args() {
		if !codePattern.MatchString(a) {
			wanted = append(wanted, a)
			continue
		}
		code := model.Code(strings.ToUpper(a))
		info, ok := model.Codes[code]
		if !ok {
			fmt.Fprintf(stderr, "jobgen: there is no code %s\n", code)
			return exitUsage
		}
		fmt.Fprintf(stdout, "%s: %s\n\t%s\n", code, info.Title, info.Remedy)
	}
	if len(wanted) == 0 {
		if flags.NArg() > 0 {
			return exitOK
		}
		wanted = []string{""}
	}
	for _, w := range wanted {
		pattern, name := splitWorker(o.dir, w)
		explain(ctx, o, pattern, name, out)
		if ctx.Err() != nil {
			return interrupted(stderr)
		}
	}
	return out.finish()
}

// splitWorker reads Variance, stats.Variance, ./stats.Variance, example.com/stats.Variance, or a package
// alone, as pattern and worker.
func splitWorker(dir, arg string) (pattern, name string) {
	if arg == "" || arg == "." || strings.HasSuffix(arg, "...") || strings.HasSuffix(arg, "..") {
		return orDot(arg), ""
	}
	slash := strings.LastIndexByte(arg, '/')
	dot := strings.LastIndexByte(arg, '.')
	switch {
	case dot > slash && dot > 0 && arg[dot-1] != '/' && arg[dot-1] != '.':
		pattern, name = arg[:dot], arg[dot+1:]
	case slash >= 0:
		return arg, ""
	default:
		return ".", arg
	}
	if strings.Contains(pattern, "/") {
		return pattern, name
	}
	if info, err := os.Stat(filepath.Join(dir, pattern)); err == nil && info.IsDir() {
		return "./" + pattern, name
	}
	return ".", name // qualified with the package's name, as error messages do it
}

func orDot(s string) string {
	if s == "" {
		return "."
	}
	return s
}

func explain(ctx context.Context, o options, pattern, name string, out *printer) {
	r, err := load.Load(ctx, load.Config{Dir: o.dir, Tags: o.tags, Patterns: []string{pattern}, Bodies: true})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		out.diagnostic(o.cannotLoad(err))
		return
	}
	all := r.Diagnostics
	found := 0
	for _, b := range buildAll(o, r) {
		all = append(all, b.diagnostics...)
		for _, w := range b.model.Workers {
			if name == "" || w.Name == name {
				describeWorker(out.stdout, b.model, w)
				found++
			}
		}
		for _, e := range b.model.Errors {
			if name == "" || e.Name == name {
				describeError(out.stdout, b.model, e)
				found++
			}
		}
	}
	for _, d := range model.SortDiagnostics(all) {
		out.diagnostic(d)
	}
	if found == 0 && len(all) == 0 {
		what := "no worker or error type"
		if name != "" {
			what += " " + name
		}
		out.diagnostic(model.Diagnostic{Code: model.NoSuchWorker, Message: fmt.Sprintf("there is %s in %s", what, pattern)})
	}
}

// describeWorker prints what becomes of a worker and where it can run.
func describeWorker(w io.Writer, p *model.Package, k *model.Worker) {
	kind := "type"
	if k.Func {
		kind = "func"
	}
	fmt.Fprintf(w, "%s (%s, %s)\n", p.Qualified(k), kind, position(k.Pos))
	if k.Do == nil {
		return
	}
	plan := k.Plan()
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "\t%-12s%s\n", label, fmt.Sprintf(format, args...))
	}
	called := "Do"
	if k.Func {
		called = k.Name
	}
	line("job", "%s%s", called, check.Signature(p, k, k.Do))
	line("runner", "%s, made by %s", plan.Runner, plan.New)
	switch plan.In {
	case model.Counted:
		line("input", "none; jobs are counted")
	case model.Single:
		line("input", "%s", k.Inputs()[0].Type.Text(p.Path, k.TypeParams))
	case model.Mapped:
		line("input", "%s, which MapJob turns into Do's parameters", k.MapJob.Params[0].Type.Text(p.Path, k.TypeParams))
	default:
		line("input", "%s", fieldList(p, k, plan.Job, plan.JobFields))
	}
	switch plan.Out {
	case model.Empty:
		line("result", "none")
	case model.Single:
		line("result", "%s", k.Do.Results[0].Type.Text(p.Path, k.TypeParams))
	default:
		line("result", "%s", fieldList(p, k, plan.Result, plan.ResultFields))
	}
	if len(k.Locals) == 0 {
		line("runs", "everywhere")
	} else {
		line("runs", "in its own process only")
		for _, r := range k.Locals {
			line("", "%s", r)
		}
	}
	leaves := len(k.Locals) == 0
	for _, in := range p.Instances {
		if in.Worker != k.Name || in.Bad != "" {
			continue
		}
		if len(in.Locals) == 0 {
			leaves = true
			line("instance", "%s runs everywhere", in.Text)
			continue
		}
		line("instance", "%s runs in its own process only", in.Text)
		for _, r := range in.Locals {
			line("", "%s", r)
		}
	}
	if leaves {
		for _, write := range k.Writes {
			line("writes", "to %s (%s), and %s", write.What, write.Pos.Short(), consequence(write))
		}
	}
}

// consequence says what a write means for a worker that can leave its process, and what to do instead.
func consequence(w model.Write) string {
	if w.Config {
		return "the caller and other workers see that on goroutines only: return what changes, or use a sharedmem.Array"
	}
	return "no result returns it, so the caller sees that on goroutines only: return it, or take a sharedmem.Array"
}

func fieldList(p *model.Package, k *model.Worker, name string, fields []model.PlanField) string {
	var parts []string
	for _, f := range fields {
		parts = append(parts, f.Name+" "+f.Type.Text(p.Path, k.TypeParams))
	}
	return fmt.Sprintf("%s{%s}", name, strings.Join(parts, "; "))
}
