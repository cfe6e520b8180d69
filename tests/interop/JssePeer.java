// A TLS client and server on JSSE, Java's own stack: see peer.h. Groups come in as the
// property jdk.tls.namedGroups.
//
//   java JssePeer client|server FLAGS
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public final class JssePeer {
  private final Map<String, String> flags = new HashMap<>();
  private final SSLContext context = SSLContext.getInstance("TLS");

  public static void main(String[] args) throws Exception {
    JssePeer peer = new JssePeer(args);
    if (args[0].equals("server")) {
      peer.serve();
    } else {
      peer.runClient();
    }
  }

  private JssePeer(String[] args) throws Exception {
    for (int i = 1; i + 1 < args.length; i += 2) {
      flags.put(args[i], args[i + 1]);
    }
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    trusted.setCertificateEntry("root", certificate(flags.get("--ca")));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(ownStore(), new char[0]);
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
  }

  private static X509Certificate certificate(String file) throws Exception {
    try (InputStream in = new FileInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  // Holds nothing where no certificate is given.
  private KeyStore ownStore() throws Exception {
    KeyStore own = KeyStore.getInstance(KeyStore.getDefaultType());
    own.load(null, null);
    if (!flags.containsKey("--cert")) {
      return own;
    }
    X509Certificate leaf = certificate(flags.get("--cert"));
    String pem = Files.readString(Path.of(flags.get("--key")));
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    PrivateKey key =
        KeyFactory.getInstance(leaf.getPublicKey().getAlgorithm())
            .generatePrivate(new PKCS8EncodedKeySpec(der));
    own.setKeyEntry("leaf", key, new char[0], new Certificate[] {leaf});
    return own;
  }

  private void narrow(SSLParameters parameters) {
    parameters.setProtocols(new String[] {"TLSv" + flags.get("--version")});
    if (flags.containsKey("--alpn")) {
      parameters.setApplicationProtocols(new String[] {flags.get("--alpn")});
    }
  }

  // Before the handshake: `began` is its start. A resumed session is as old as the one before.
  private static void say(SSLSocket socket, long began) {
    String peer = "";
    try {
      peer = ((X509Certificate) socket.getSession().getPeerCertificates()[0])
          .getSubjectX500Principal().getName();
    } catch (SSLPeerUnverifiedException none) {
      peer = "";
    }
    boolean resumed = socket.getSession().getCreationTime() < began;
    System.out.println("resumed=" + (resumed ? 1 : 0) + " alpn=" + socket.getApplicationProtocol()
        + " peer=" + peer);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  // ---- The server.

  private void serve() throws Exception {
    ServerSocket listener = new ServerSocket();
    listener.setReuseAddress(true);
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(),
        Integer.parseInt(flags.get("--port"))));
    System.out.println("listening");
    for (;;) {
      try (Socket plain = listener.accept()) {
        serveOne(plain);
      } catch (IOException e) {
        System.out.println(e);
      }
    }
  }

  private void serveOne(Socket plain) throws IOException {
    long began = System.currentTimeMillis();
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, null, true);
    socket.setUseClientMode(false);
    SSLParameters parameters = socket.getSSLParameters();
    narrow(parameters);
    // Each of these takes the other back.
    String auth = flags.get("--auth");
    if (auth.equals("optional")) {
      parameters.setWantClientAuth(true);
    } else if (auth.equals("required")) {
      parameters.setNeedClientAuth(true);
    }
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    say(socket, began);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    for (String line; (line = in.readLine()) != null;) {
      socket.getOutputStream().write(bytes("you said: " + line + "\n"));
    }
    socket.close();
  }

  // ---- The client.

  private void runClient() throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    String line = in.readLine();
    for (int left = Integer.parseInt(flags.get("--connections")); left > 0; --left) {
      connect(line);
    }
  }

  private void connect(String line) throws IOException {
    long began = System.currentTimeMillis();
    int port = Integer.parseInt(flags.get("--port"));
    Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(
        plain, flags.get("--name"), port, true);
    SSLParameters parameters = socket.getSSLParameters();
    narrow(parameters);
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    say(socket, began);
    socket.getOutputStream().write(bytes(line + "\n"));
    byte[] reply = socket.getInputStream().readAllBytes();  // to the close_notify, or it throws
    System.out.print(new String(reply, StandardCharsets.US_ASCII));
    System.out.flush();
    socket.close();
  }
}
