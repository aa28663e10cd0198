// The functions of k8s.io/apimachinery.
package main

import (
	"encoding/json"
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

func init() {
	for name, validate := range map[string]func(string) []string{
		"dns-label":      validation.IsDNS1123Label,
		"dns-subdomain":  validation.IsDNS1123Subdomain,
		"qualified-name": validation.IsQualifiedName,
		"label-value":    validation.IsValidLabelValue,
	} {
		ops[name] = onText(func(text string) (bool, error) {
			if problems := validate(text); len(problems) > 0 {
				return false, errors.New(strings.Join(problems, "; "))
			}
			return true, nil
		})
	}
	ops["selector"] = func(input json.RawMessage) (any, error) {
		var selector metav1.LabelSelector
		if err := json.Unmarshal(input, &selector); err != nil {
			return nil, unusable{err}
		}
		_, err := metav1.LabelSelectorAsSelector(&selector)
		return true, err
	}
}
