# The habits of this repository. CI runs .ci/run, which is these and more.

.PHONY: help test race lint generate bench ci

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

test: ## all tests of all modules
	go test work

race: ## the same under the race detector
	go test -race work

lint: ## gofmt, go vet, staticcheck, and that generated code is up to date
	@test -z "$$(git ls-files '*.go' | grep -v /testdata/ | xargs gofmt -l)" || { git ls-files '*.go' | grep -v /testdata/ | xargs gofmt -l; exit 1; }
	go vet work
	GOWORK=off go build -C tools -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./...
	go run ./cmd/jobgen -check -diff ./...

generate: ## write generated code again
	go generate ./...

bench: ## compare with other libraries; bench/RESULTS.md has the last run
	go run ./bench

ci: ## everything that a change has to pass
	.ci/run
