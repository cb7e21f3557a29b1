using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Service.Tests.Running;

/// <summary>TLS as docs/service.md says to configure it.</summary>
public sealed class TlsTests
{
    [LongRunning]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_service_speaks_https_by_Kestrels_configuration_and_nothing_else_on_that_port(bool byEndpoints)
    {
        using ScratchDirectory directory = new();
        using X509Certificate2 certificate = CreateCertificate(directory);
        Uri address = new($"https://127.0.0.1:{ServerProcess.FreePort()}");
        using SocketsHttpHandler trusting = new()
        {
            SslOptions = new() { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == certificate.GetCertHashString() },
        };
        JsonObject files = new() { ["Path"] = directory.File("cert.pem"), ["KeyPath"] = directory.File("key.pem") };
        JsonObject kestrel = byEndpoints
            ? new() { ["Endpoints"] = new JsonObject { ["Https"] = new JsonObject { ["Url"] = address.ToString(), ["Certificate"] = files } } }
            : new() { ["Certificates"] = new JsonObject { ["Default"] = files } };
        string config = directory.File("service.json");
        await File.WriteAllTextAsync(config, new JsonObject { ["Kestrel"] = kestrel }.ToJsonString(), ServiceUnderTest.Cancel);
        ServerSetup setup = new(directory.Path) { Config = config, Address = address.GetLeftPart(UriPartial.Authority), Client = trusting };
        await using ServerProcess server = await ServerProcess.StartAsync(setup);

        TestVolume volume = TestVolume.Create(setup.Volumes, 100_000);
        JsonNode shown = (await server.GetAsync($"volumes/{volume.Id}"))["volume"]!;
        Assert.StartsWith(setup.Address + "/", (string?)shown["links"]![0]!["href"], StringComparison.Ordinal);
        await server.PostAsync("backups", new { backup = new { volume_id = volume.Id } });

        // In plain text, and from a client that does not know the certificate.
        using HttpClient plain = new() { BaseAddress = new($"http://127.0.0.1:{address.Port}") };
        await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync(new Uri("/", UriKind.Relative), ServiceUnderTest.Cancel));
        using HttpClient stranger = new() { BaseAddress = address };
        HttpRequestException distrust = await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetAsync(new Uri("/", UriKind.Relative), ServiceUnderTest.Cancel));
        Assert.IsType<AuthenticationException>(distrust.InnerException);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_certificate_that_is_not_there_is_named_when_the_server_starts()
    {
        using ScratchDirectory directory = new();
        string config = directory.File("service.json");
        await File.WriteAllTextAsync(config, """{"Kestrel": {"Certificates": {"Default": {"Path": "/nowhere/cert.pem", "KeyPath": "/nowhere/key.pem"}}}}""", ServiceUnderTest.Cancel);
        (int exitCode, _, string errors) = SystemTool.TryRun(
            Path.Combine(AppContext.BaseDirectory, "backup-engine"), "serve", "--store", directory.File("store"), "--volumes", directory.File("volumes"),
            "--data", directory.File("data"), "--config", config, "--listen", $"https://127.0.0.1:{ServerProcess.FreePort()}");
        Assert.Equal(3, exitCode);
        Assert.Contains("/nowhere/cert.pem", errors, StringComparison.Ordinal);
    }

    private static X509Certificate2 CreateCertificate(ScratchDirectory directory)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=backup-engine test", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(directory.File("cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(directory.File("key.pem"), key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
