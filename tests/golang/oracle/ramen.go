// What Ramen makes of the YAML in a ConfigMap: sigs.k8s.io/yaml, into structs of these shapes. They are
// Ramen's and Kubernetes' as far as reading goes: the same JSON names, types and embedding. Nothing is
// left out when they are written, so that an answer has all that was read.
package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func init() {
	ops["ramen-config"] = onText(read[ramenConfig])
	ops["network-mapping"] = onText(read[networkMapping])
	ops["other-types"] = onText(read[otherTypes])
}

func read[T any](text string) (any, error) {
	var into T
	if err := yaml.Unmarshal([]byte(text), &into); err != nil {
		return nil, err
	}
	return into, nil
}

type ramenConfig struct {
	typeMeta                `json:",inline"`
	LeaderElection          *leaderElection `json:"leaderElection"`
	Metrics                 metrics         `json:"metrics"`
	Health                  health          `json:"health"`
	Type                    controllerType  `json:"ramenControllerType"`
	Profiles                []profile       `json:"s3StoreProfiles"`
	MaxConcurrentReconciles int             `json:"maxConcurrentReconciles"`
	Operator                struct {
		Automation   bool   `json:"deploymentAutomationEnabled"`
		Distribution bool   `json:"s3SecretDistributionEnabled"`
		Channel      string `json:"channelName"`
		Package      string `json:"packageName"`
		Namespace    string `json:"namespaceName"`
		Catalog      string `json:"catalogSourceName"`
		CatalogFrom  string `json:"catalogSourceNamespaceName"`
		Version      string `json:"clusterServiceVersionName"`
	} `json:"drClusterOperator"`
	VolSync struct {
		Disabled   bool   `json:"disabled"`
		Driver     string `json:"cephFSCSIDriverName"`
		CopyMethod string `json:"destinationCopyMethod"`
	} `json:"volSync"`
	Objects struct {
		Disabled  bool   `json:"disabled"`
		Namespace string `json:"veleroNamespaceName"`
	} `json:"kubeObjectProtection"`
	Namespaces struct {
		Enabled bool `json:"FeatureEnabled"`
		VolSync bool `json:"volsyncSupported"`
	} `json:"multiNamespace"`
	Unprotection bool   `json:"volumeUnprotectionEnabled"`
	OpsNamespace string `json:"ramenOpsNamespace"`
	RetainSCC    bool   `json:"retainNamespaceSCCAcrossPeers"`
}

type controllerType string

// Embedded as Kubernetes embeds metav1.TypeMeta, which is the type itself.
type typeMeta = metav1.TypeMeta

type leaderElection struct {
	Elect     *bool           `json:"leaderElect"`
	Lease     metav1.Duration `json:"leaseDuration"`
	Renew     metav1.Duration `json:"renewDeadline"`
	Retry     metav1.Duration `json:"retryPeriod"`
	Lock      string          `json:"resourceLock"`
	Name      string          `json:"resourceName"`
	Namespace string          `json:"resourceNamespace"`
}

type metrics struct {
	BindAddress string `json:"bindAddress"`
}

type health struct {
	BindAddress string `json:"healthProbeBindAddress"`
	Readiness   string `json:"readinessEndpointName"`
	Liveness    string `json:"livenessEndpointName"`
}

type profile struct {
	Name     string `json:"s3ProfileName"`
	Bucket   string `json:"s3Bucket"`
	Endpoint string `json:"s3CompatibleEndpoint"`
	Region   string `json:"s3Region"`
	Secret   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"s3SecretRef"`
	Velero       *keySelector `json:"veleroNamespaceSecretKeyRef"`
	Certificates []byte       `json:"caCertificates"`
}

type keySelector struct {
	LocalReference `json:",inline"`
	Key            string `json:"key"`
	Optional       *bool  `json:"optional"`
}

// LocalReference is exported because an embedded struct that is not can't be read into.
type LocalReference struct {
	Name string `json:"name"`
}

// Ramen's has tags for another YAML library, which nobody reads: names in any case do.
type networkMapping struct {
	Version         string
	NetworkMappings []struct {
		NetworkRef struct {
			Namespace string `json:"nadNamespace"`
			Name      string `json:"nadName"`
		}
		CIDR             map[string]string
		ExplicitMappings []map[string]string
		RegexMappings    map[string][]struct {
			Pattern     string
			Replacement string
		}
	}
}

// The types that a configuration does not have.
type otherTypes struct {
	Config   ramenConfig          `json:"c"`
	Int32    int32                `json:"i32"`
	Float    float64              `json:"f"`
	Text     *string              `json:"ps"`
	Duration *metav1.Duration     `json:"pd"`
	Map      map[string]string    `json:"m"`
	List     []string             `json:"l"`
	Ints     []int                `json:"li"`
	Bytes    []byte               `json:"b"`
	Maps     map[string][]profile `json:"mp"`
	Lists    [][]int              `json:"ll"`
}
