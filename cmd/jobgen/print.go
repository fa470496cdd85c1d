package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jobgen/jobgen/cmd/jobgen/internal/load"
	"github.com/jobgen/jobgen/cmd/jobgen/internal/model"
)

// printer says what was found, as text or as JSON, and what to exit with.
type printer struct {
	o              options
	stdout, stderr io.Writer
	failed         bool
	stale          bool
	report         report
}

// report is the output of -json.
type report struct {
	Files       []fileReport       `json:"files"`
	Diagnostics []diagnosticReport `json:"diagnostics"`
}

type fileReport struct {
	Path    string   `json:"path"`
	Status  string   `json:"status"` // written, removed, missing, stale, orphan
	Reasons []string `json:"reasons,omitempty"`
	Diff    string   `json:"diff,omitempty"`
}

type diagnosticReport struct {
	Code    string `json:"code"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// position writes a position as compilers do, so that editors can follow it.
func position(p model.Pos) string {
	s := relative(p.File)
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
	}
	if p.Col > 0 {
		s += fmt.Sprintf(":%d", p.Col)
	}
	return s
}

func (p *printer) diagnostic(d model.Diagnostic) {
	p.failed = true
	if p.o.json {
		r := diagnosticReport{Code: string(d.Code), Message: d.Message, Remedy: d.Remedy}
		if r.Remedy == "" {
			r.Remedy = model.Codes[d.Code].Remedy
		}
		if d.Pos.IsValid() {
			r.File, r.Line, r.Column = relative(d.Pos.File), d.Pos.Line, d.Pos.Col
		}
		p.report.Diagnostics = append(p.report.Diagnostics, r)
		return
	}
	where := "jobgen"
	if d.Pos.IsValid() {
		where = position(d.Pos)
	}
	fmt.Fprintf(p.stderr, "%s: %s\n", where, d.Text())
}

// wrote notes a change that was made; success is silent except in JSON.
func (p *printer) wrote(c change) {
	status := "written"
	if c.want == nil {
		status = "removed"
	}
	p.report.Files = append(p.report.Files, fileReport{Path: relative(c.path), Status: status, Reasons: c.reasons})
}

// pending reports a change that was not made because of -check, -diff or -n.
func (p *printer) pending(c change) {
	if p.o.check && c.moved {
		return
	}
	status, verb := "stale", "write"
	switch {
	case c.old == nil:
		status = "missing"
	case c.want == nil:
		status, verb = "orphan", "remove"
	}
	if p.o.check {
		p.failed = true
	}
	if p.o.json {
		r := fileReport{Path: relative(c.path), Status: status, Reasons: c.reasons}
		if p.o.diff {
			r.Diff = string(c.unified())
		}
		p.report.Files = append(p.report.Files, r)
		return
	}
	if p.o.check {
		reasons := c.reasons
		if status == "missing" {
			reasons = reasons[1:]
		}
		text := status
		if status == "orphan" {
			text = "stale"
		}
		for _, r := range reasons {
			fmt.Fprintf(p.stderr, "%s is %s: %s\n", relative(c.path), text, r)
		}
		p.stale = true
	}
	if p.o.diff {
		p.stdout.Write(c.unified())
	}
	if p.o.dry {
		fmt.Fprintf(p.stdout, "%s %s\n", verb, relative(c.path))
	}
}

// quiet tells somebody who named packages that there is nothing to generate in them.
func (p *printer) quiet(r *load.Result, patterns []string) {
	if p.o.json || p.failed || len(r.Packages) > 0 || len(r.Quiet) == 0 {
		return
	}
	fmt.Fprintf(p.stderr, "jobgen: no //jobgen: directive in %s\n", strings.Join(patterns, " "))
}

func (p *printer) finish() int {
	if p.stale {
		fmt.Fprintln(p.stderr, "jobgen: run go generate to bring the files up to date")
	}
	if p.o.json {
		if p.report.Files == nil {
			p.report.Files = []fileReport{}
		}
		if p.report.Diagnostics == nil {
			p.report.Diagnostics = []diagnosticReport{}
		}
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "\t")
		if err := enc.Encode(p.report); err != nil {
			fmt.Fprintf(p.stderr, "jobgen: %v\n", err)
			return exitFail
		}
	}
	if p.failed {
		return exitFail
	}
	return exitOK
}
