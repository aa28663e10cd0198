// The functions of Go's standard library.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/url"
	"os"
	"regexp"
	"time"
	"unicode"
)

func init() {
	ops["base64"] = onText(func(text string) (string, error) {
		data, err := base64.StdEncoding.DecodeString(text)
		return hex.EncodeToString(data), err
	})
	ops["cidr"] = onText(func(text string) ([]any, error) {
		address, network, err := net.ParseCIDR(text)
		if err != nil {
			return nil, err
		}
		ones, bits := network.Mask.Size()
		if bits == 32 {
			address = address.To4()
		}
		return []any{hex.EncodeToString(address), hex.EncodeToString(network.IP), ones}, nil
	})
	ops["duration"] = onText(func(text string) (int64, error) {
		read, err := time.ParseDuration(text)
		return int64(read), err
	})
	ops["expand"] = onText(func(text string) (string, error) {
		return os.Expand(text, func(name string) string { return "<" + name + ">" }), nil
	})
	ops["regexp"] = onText(func(text string) (bool, error) {
		_, err := regexp.Compile(text)
		return true, err
	})
	ops["regexp-groups"] = onText(func(string) ([]string, error) {
		names := []string{"Any", "Assigned", "ASCII"}
		for name := range unicode.Categories {
			names = append(names, name)
		}
		for name := range unicode.CategoryAliases {
			names = append(names, name)
		}
		for name := range unicode.Scripts {
			names = append(names, name)
		}
		return names, nil
	})
	ops["url"] = onText(func(text string) ([]string, error) {
		read, err := url.ParseRequestURI(text)
		if err != nil {
			return nil, err
		}
		return []string{read.Scheme, read.Opaque, read.Host, read.Path}, nil
	})
}
