import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.crypto.key.kms.server.KMSWebServer;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.http.server.HttpFSServerWebServer;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;

/**
 * Launcher [--with-parent] [--remove DIR] [--control FILE] KIND=CONFDIR...
 *
 * Hosts any list of daemons in one JVM, each with a configuration directory of its own that bears its name, started in
 * the order given. An HttpFS or a KMS is one of a kind in its JVM, and the last.
 * With --with-parent the JVM ends as soon as its standard input does, however the process that holds the other end
 * died, and deletes DIR first; the line "release" on standard input ends that watch.
 */
public final class Launcher {
  public static void main(String[] args) {
    boolean withParent = false;
    File remove = null;
    File portFile = null;
    List<String> daemons = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--with-parent")) withParent = true;
      else if (args[i].equals("--remove")) remove = new File(args[++i]);
      else if (args[i].equals("--control")) portFile = new File(args[++i]);
      else daemons.add(args[i]);
    }
    if (withParent) watchParent(remove);
    try {
      // Several daemons of one kind would otherwise fight for one name in the metrics registry.
      if (daemons.size() > 1) DefaultMetricsSystem.setMiniClusterMode(true);
      Control control = portFile == null ? null : new Control(portFile);
      for (String daemon : daemons) {
        int at = daemon.indexOf('=');
        start(daemon.substring(0, at), new File(daemon.substring(at + 1)), control);
      }
      Thread.currentThread().join();
    } catch (Throwable failure) {
      // The threads of daemons that did start would keep the JVM alive.
      failure.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static void start(String kind, File directory, Control control) throws Exception {
    switch (kind) {
      case "namenode" -> {
        Configuration configuration = configuration(directory);
        NameNode namenode = NameNode.createNameNode(new String[] {}, configuration);
        if (control != null) control.add(directory.getName(), namenode, configuration);
      }
      case "datanode" -> DataNode.createDataNode(new String[] {}, configuration(directory));
      case "httpfs" -> HttpFSServerWebServer.main(new String[] {});
      case "kms" -> KMSWebServer.main(new String[] {});
      default -> throw new IllegalArgumentException("no such kind of daemon: " + kind);
    }
  }

  private static Configuration configuration(File directory) {
    Configuration configuration = new HdfsConfiguration();
    for (String site : new String[] {"core-site.xml", "hdfs-site.xml"}) {
      configuration.addResource(new Path(new File(directory, site).toURI()));
    }
    return configuration;
  }

  private static void watchParent(File remove) {
    Thread watch = new Thread(() -> {
      try {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.equals("release")) return;
        }
      } catch (IOException closed) {
        // as good as the end
      }
      if (remove != null) removeAll(remove);
      Runtime.getRuntime().halt(0);
    }, "parent-watch");
    watch.setDaemon(true);
    watch.start();
  }

  /** Deletes what it can: the JVMs of one bed all do this at the same moment. */
  private static void removeAll(File file) {
    for (int attempt = 0; attempt < 5 && file.exists(); attempt++) removeTree(file);
  }

  private static void removeTree(File file) {
    File[] entries = java.nio.file.Files.isSymbolicLink(file.toPath()) ? null : file.listFiles();
    if (entries != null) for (File entry : entries) removeTree(entry);
    file.delete();
  }
}
