// The functions of other libraries.
package main

import (
	// Every time zone is there, whatever the machine has.
	_ "time/tzdata"

	"github.com/google/shlex"
	"github.com/robfig/cron/v3"
)

func init() {
	ops["cron"] = onText(func(text string) (bool, error) {
		_, err := cron.ParseStandard(text)
		return true, err
	})
	ops["shlex"] = onText(func(text string) ([]string, error) {
		words, err := shlex.Split(text)
		if err != nil {
			return nil, err
		}
		return words, nil
	})
}
