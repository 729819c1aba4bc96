import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.ha.HAServiceProtocol;
import org.apache.hadoop.ha.HAServiceProtocol.RequestSource;
import org.apache.hadoop.ha.HAServiceProtocol.StateChangeRequestInfo;
import org.apache.hadoop.hdfs.client.CreateEncryptionZoneFlag;
import org.apache.hadoop.hdfs.client.HdfsAdmin;
import org.apache.hadoop.hdfs.server.namenode.NameNode;

/**
 * What the bed asks of a JVM that no port of its daemons answers without a ticket, and what else would take a JVM of
 * its own. It listens on the loopback interface only; its port is in the given file, which is whole once it is there.
 *
 * /beans?query=NAMES&attributes=A,B    texts among the attributes of matching MBeans, as JSON
 * /state?namenode=NAME&state=active    or standby
 * /directory?namenode=NAME&path=P      makes directory P, which is anybody's, as the superuser
 * /directory?...&key=K                 and an encryption zone
 * /directory?...&policy=E              and erasure coded
 */
final class Control {
  private final Map<String, NameNode> namenodes = new ConcurrentHashMap<>();
  private final Map<String, Configuration> configurations = new ConcurrentHashMap<>();

  Control(File portFile) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
    Path whole = portFile.toPath();
    Path making = Path.of(whole + ".making");
    Files.createDirectories(whole.getParent());
    Files.writeString(making, String.valueOf(server.getAddress().getPort()));
    Files.move(making, whole, StandardCopyOption.ATOMIC_MOVE);
  }

  void add(String name, NameNode namenode, Configuration configuration) {
    configurations.put(name, configuration);
    namenodes.put(name, namenode);
  }

  private void answer(HttpExchange exchange) throws IOException {
    int status = 200;
    String text;
    try {
      text = outcome(exchange.getRequestURI().getPath(), parameters(exchange.getRequestURI().getQuery()));
    } catch (Exception failure) {
      status = 500;
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      text = trace.toString();
    }
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private String outcome(String path, Map<String, String> of) throws Exception {
    switch (path) {
      case "/beans":
        return new ObjectMapper().writeValueAsString(beans(of.get("query"), List.of(of.get("attributes").split(","))));
      case "/state":
        changeState(named(of.get("namenode")), of.get("state"));
        return "";
      case "/directory":
        named(of.get("namenode"));
        makeDirectory(configurations.get(of.get("namenode")), of);
        return "";
      default:
        throw new IllegalArgumentException("no such question: " + path);
    }
  }

  private NameNode named(String name) {
    NameNode namenode = namenodes.get(name);
    if (namenode == null) throw new IllegalStateException(name + " has not started");
    return namenode;
  }

  private static void changeState(NameNode namenode, String state) throws IOException {
    HAServiceProtocol service = namenode.getRpcServer();
    StateChangeRequestInfo request = new StateChangeRequestInfo(RequestSource.REQUEST_BY_USER);
    if (state.equals("active")) service.transitionToActive(request);
    else service.transitionToStandby(request);
  }

  private static void makeDirectory(Configuration configuration, Map<String, String> of) throws Exception {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(of.get("path"));
    try (FileSystem files = FileSystem.newInstance(configuration)) {
      files.mkdirs(path);
      files.setPermission(path, new FsPermission((short) 01777));
      HdfsAdmin admin = new HdfsAdmin(files.getUri(), configuration);
      String key = of.get("key");
      if (key != null) admin.createEncryptionZone(path, key, EnumSet.of(CreateEncryptionZoneFlag.PROVISION_TRASH));
      String policy = of.get("policy");
      if (policy == null) return;
      admin.enableErasureCodingPolicy(policy);
      admin.setErasureCodingPolicy(path, policy);
    }
  }

  private static List<Map<String, String>> beans(String query, List<String> wanted) throws Exception {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    List<Map<String, String>> beans = new ArrayList<>();
    for (ObjectName name : server.queryNames(new ObjectName(query), null)) {
      Map<String, String> bean = new TreeMap<>();
      for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
        if (!wanted.contains(attribute.getName())) continue;
        if (server.getAttribute(name, attribute.getName()) instanceof String text) bean.put(attribute.getName(), text);
      }
      beans.add(bean);
    }
    return beans;
  }

  private static Map<String, String> parameters(String query) {
    Map<String, String> parameters = new HashMap<>();
    for (String parameter : query.split("&")) {
      int at = parameter.indexOf('=');
      parameters.put(parameter.substring(0, at), parameter.substring(at + 1));
    }
    return parameters;
  }
}
