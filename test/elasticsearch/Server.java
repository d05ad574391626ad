/* SPDX-License-Identifier: MIT
 * Server.java -- one node of OpenSearch: Server HOME HTTP-PORT TRANSPORT-PORT
 */
import org.codelibs.opensearch.runner.OpenSearchRunner;

public class Server {
    public static void main(String[] arguments) throws Exception {
        OpenSearchRunner node = new OpenSearchRunner();
        node.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", arguments[1]);
            settings.put("transport.port", arguments[2]);
            settings.putList("discovery.seed_hosts");
            settings.putList("cluster.initial_cluster_manager_nodes", "Node 1");
        });
        node.build(OpenSearchRunner.newConfigs().basePath(arguments[0]).numOfNode(1).clusterName("kith").printOnFailure());
        Thread.currentThread().join();
    }
}
