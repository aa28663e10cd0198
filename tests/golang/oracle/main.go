// Oracle answers lines of JSON, {"op": name, "input": value}, with lines of JSON in the same order:
// {"value": what the function gave}, or {"error": text}. It ends with its input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
)

// An op calls one function of Go's or of a library's.
type op func(input json.RawMessage) (any, error)

// The ops by name. Each file adds its own in an init function.
var ops = map[string]op{}

// onText makes an op of a function that takes a text.
func onText[T any](function func(string) (T, error)) op {
	return func(input json.RawMessage) (any, error) {
		var text string
		if err := json.Unmarshal(input, &text); err != nil {
			return nil, unusable{err}
		}
		return function(text)
	}
}

// A request is one line.
type request struct {
	Op    string          `json:"op"`
	Input json.RawMessage `json:"input"`
}

// An answer is one line, with one of the two.
type answer struct {
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

// unusable is an error of who asks, which is no answer.
type unusable struct{ error }

func main() {
	input := bufio.NewReader(os.Stdin)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	for {
		line, err := input.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			log.Fatal(err)
		}
		call, known := ops[asked.Op]
		if !known {
			log.Fatalf("there is no op %q", asked.Op)
		}
		value, err := answered(call, asked.Input)
		if _, bad := err.(unusable); bad {
			log.Fatalf("%s: %v: %s", asked.Op, err, asked.Input)
		}
		said := answer{Value: value}
		if err != nil {
			said = answer{Error: "error: " + err.Error()}
		}
		if err := encoder.Encode(said); err != nil {
			log.Fatal(err)
		}
	}
}

// answered calls an op. A panic is an error: it is one for who calls the function in earnest.
func answered(call op, input json.RawMessage) (value any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			value, err = nil, fmt.Errorf("panic: %v", cause)
		}
	}()
	return call(input)
}
