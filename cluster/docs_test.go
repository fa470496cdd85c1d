package cluster_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/jobgen/jobgen/cluster"
)

const docs = "../docs/cluster"

func readText(t *testing.T, path string) string {
	t.Helper()
	return string(must(os.ReadFile(path))(t))
}

// TestDocumentedNames: what the documentation names exists, and what exists is named.
func TestDocumentedNames(t *testing.T) {
	page := readText(t, docs+".md")
	code := ""
	for _, pattern := range []string{"*.go", "../runtime/*.go"} {
		for _, path := range must(filepath.Glob(pattern))(t) {
			if !strings.HasSuffix(path, "_test.go") {
				code += readText(t, path)
			}
		}
	}
	variable := regexp.MustCompile(`JOBGEN_[A-Z]+`)
	for _, path := range append(must(filepath.Glob(docs+"/*"))(t), docs+".md") {
		for _, name := range variable.FindAllString(readText(t, path), -1) {
			if !strings.Contains(code, `"`+name+`"`) {
				t.Errorf("%s names %s, which the code does not read", path, name)
			}
		}
	}
	for _, name := range variable.FindAllString(readText(t, "options.go"), -1) {
		if !strings.Contains(page, "`"+name) {
			t.Errorf("the documentation does not name %s", name)
		}
	}

	for _, of := range []any{cluster.Options{}, cluster.EmbeddedOptions{}} {
		for f := range reflect.TypeOf(of).Fields() {
			if !f.Anonymous && !strings.Contains(page, "`"+f.Name) {
				t.Errorf("the documentation does not name %T.%s", of, f.Name)
			}
		}
	}
	for _, m := range regexp.MustCompile(`Options\.([A-Z]\w*)`).FindAllStringSubmatch(page, -1) {
		if _, ok := reflect.TypeFor[cluster.Options]().FieldByName(m[1]); !ok {
			t.Errorf("the documentation names Options.%s, which does not exist", m[1])
		}
	}
	declared := regexp.MustCompile(`(?m)^\t(Err[A-Z]\w*) +=`).FindAllStringSubmatch(readText(t, "errors.go"), -1)
	for _, m := range declared {
		if !strings.Contains(page, "`"+m[1]+"`") {
			t.Errorf("the documentation does not name %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`(Err[A-Z]\\w*)`").FindAllStringSubmatch(page, -1) {
		if !slices.ContainsFunc(declared, func(d []string) bool { return d[1] == m[1] }) {
			t.Errorf("the documentation names %s, which does not exist", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\]\((cluster/[^)#]+)\)`).FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat(filepath.Join("../docs", m[1])); err != nil {
			t.Error(err)
		}
	}
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		headings[strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(page, -1) {
		if !headings[m[1]] {
			t.Errorf("the documentation leads to #%s, which does not exist", m[1])
		}
	}
}

func shell(t *testing.T) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash: ", err)
	}
	return bash
}

func TestScriptsParse(t *testing.T) {
	bash := shell(t)
	for _, name := range []string{"start-ssh.sh", "workers.sbatch"} {
		if out, err := exec.Command(bash, "-n", filepath.Join(docs, name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	batch := readText(t, docs+"/workers.sbatch")
	for _, line := range []string{"#SBATCH --signal=B:TERM@60", "#SBATCH --array=", `exec "$PROGRAM"`} {
		if !strings.Contains(batch, "\n"+line) {
			t.Errorf("workers.sbatch has no line %s", line)
		}
	}
	if first := strings.Index(batch, "\nset -"); strings.Contains(batch[first:], "#SBATCH") {
		t.Error("Slurm does not read settings that follow the first command")
	}
}

// TestBatchScript runs it as Slurm does, and tells it to end as Slurm does.
func TestBatchScript(t *testing.T) {
	skipWithoutSignals(t)
	bash := shell(t)
	s := startServer(t, &server.Options{JetStream: true, Authorization: "right-token"})
	self := must(os.Executable())(t)
	w := &workerProcess{cmd: exec.Command(bash, filepath.Join(docs, "workers.sbatch")), ended: make(chan struct{})}
	w.cmd.Env = append(os.Environ(), "PROGRAM="+self, "JOBGEN_WORKER="+s.ClientURL(), "JOBGEN_TOKEN=right-token",
		"SLURM_CPUS_PER_TASK=2", "JOBGEN_CACHE="+cacheDir(t))
	w.cmd.Stdout, w.cmd.Stderr = w, w
	w.start(t)
	runProbes(t, dialled(t, s.ClientURL(), cluster.Options{Token: "right-token"}))
	w.tell(t, syscall.SIGTERM)
	if status := w.status(t); status != 0 {
		t.Errorf("the worker has status %d, and says %s", status, w.String())
	}
}

// TestSSHScript runs it with an ssh that leads to directories of this machine.
func TestSSHScript(t *testing.T) {
	skipWithoutSignals(t)
	bash := shell(t)
	dir := t.TempDir()
	ssh := "#!/bin/sh\nhost=$1\nshift\nmkdir -p \"$HOSTS/$host\" && cd \"$HOSTS/$host\" && HOME=$PWD && export HOME && unset JOBGEN_WORKER JOBGEN_NKEY && exec sh -c \"$*\"\n"
	if err := os.WriteFile(filepath.Join(dir, "ssh"), []byte(ssh), 0o700); err != nil {
		t.Fatal(err)
	}
	seed, public := newUser(t)
	nkey := writeFile(t, "it's a.seed", seed)
	s := startServer(t, &server.Options{JetStream: true, Nkeys: []*server.NkeyUser{{Nkey: public}}})
	self := must(os.Executable())(t)
	script := func(args ...string) {
		t.Helper()
		cmd := exec.Command(bash, append([]string{filepath.Join(docs, "start-ssh.sh")}, args...)...)
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "HOSTS="+dir,
			"JOBGEN_WORKER="+s.ClientURL(), "JOBGEN_NKEY="+nkey, "JOBGEN_CACHE="+filepath.Join(dir, "a cache"), "JOBGEN_SLOTS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() { script("-stop", self, "host1", "host2") })
	script(self, "host1", "host2")
	c := dialled(t, s.ClientURL(), cluster.Options{NKey: nkey})
	runProbes(t, c)
	script("-stop", self, "host1", "host2")
	for end := time.Now().Add(soon); s.NumClients() > 1; time.Sleep(20 * time.Millisecond) { // the driver stays
		if time.Now().After(end) {
			t.Fatal("the workers do not end")
		}
	}
	for _, secret := range must(filepath.Glob(filepath.Join(dir, "host*/.cache/jobgen/bin/*/*")))(t) {
		if info, err := os.Stat(secret); err != nil && !errors.Is(err, os.ErrNotExist) || err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can read %s", secret)
		}
	}
}

// TestManifest is a light check of the YAML, with what matters for workers.
func TestManifest(t *testing.T) {
	text := readText(t, docs+"/kubernetes.yaml")
	kinds := map[string]string{}
	key := regexp.MustCompile(`^ *(- )?[A-Za-z.]+:( .+)?$`)
	for doc := range strings.SplitSeq(text, "\n---\n") {
		kind := ""
		for line := range strings.Lines(doc) {
			line = strings.TrimRight(line, "\n")
			bare := strings.TrimLeft(line, " ")
			if bare == "" || strings.HasPrefix(bare, "#") {
				continue
			}
			if strings.Contains(line, "\t") || strings.HasSuffix(line, " ") {
				t.Errorf("a tab, or a space at the end: %q", line)
			}
			if (len(line)-len(bare))%2 != 0 || !key.MatchString(line) {
				t.Errorf("not a key at a place of two spaces each: %q", line)
			}
			if rest, ok := strings.CutPrefix(line, "kind: "); ok {
				kind = rest
			}
		}
		kinds[kind] = doc
	}
	for kind, parts := range map[string][]string{
		"Secret":     {"name: jobgen-worker\n", "worker.seed:"},
		"Deployment": {"replicas:", "terminationGracePeriodSeconds: 60", "secretName: jobgen-worker\n", `value: "50s"`},
		"Job":        {"completionMode: Indexed", "completions: 8", "parallelism: 8", "terminationGracePeriodSeconds: 60", "secretName: jobgen-worker\n", `value: "50s"`},
	} {
		for _, part := range parts {
			if !strings.Contains(kinds[kind], part) {
				t.Errorf("the %s has no %q", kind, part)
			}
		}
	}
}
