module gorse.build

go 1.26

require (
	github.com/gorse-io/dashboard v0.5.20260714
	github.com/gorse-io/gorse v0.5.11
	github.com/mattn/go-sqlite3 v1.14.53
)
