using System.Globalization;
using System.Net;
using System.Net.Sockets;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Service.Tests.Running;

/// <summary>Addresses on which the service cannot listen.</summary>
public sealed class ListenTests
{
    [LongRunning(NeedsTools = true)]
    [Fact]
    public void An_address_that_is_taken_is_named_in_one_line()
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        CheckRefused(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}"), "address already in use");
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public void An_address_that_the_machine_does_not_have_is_named_in_one_line()
    {
        // 192.0.2.0/24 is kept for documents (RFC 5737): nobody has it. Listening beyond loopback asks for authentication.
        const string Tokens = """{"BackupService": {"Auth": "Tokens", "Tokens": [{"Token": "a token that is only for this test", "User": "u", "Project": "p"}]}}""";
        CheckRefused("http://192.0.2.1:8776", "Cannot assign requested address", Tokens);
    }

    private static void CheckRefused(string address, string reason, string config = "{}")
    {
        using ScratchDirectory directory = new();
        File.WriteAllText(directory.File("service.json"), config);
        (int exitCode, _, string errors) = SystemTool.TryRun(
            Path.Combine(AppContext.BaseDirectory, "backup-engine"), "serve", "--store", directory.File("store"), "--volumes", directory.File("volumes"),
            "--data", directory.File("data"), "--config", directory.File("service.json"), "--listen", address);
        Assert.Equal(2, exitCode);
        string line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"error: The service cannot listen on {address}: ", line, StringComparison.Ordinal);
        Assert.Contains(reason, line, StringComparison.Ordinal);
    }
}
