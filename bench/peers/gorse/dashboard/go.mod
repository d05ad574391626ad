module github.com/gorse-io/dashboard

go 1.26
