using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Tests.Runner;

/// <summary>The script <c>tests/run</c> on a machine whose commands are stand-ins that record their calls.</summary>
public sealed class TestRunTests : IDisposable
{
    private const string AllPassed = "total: 3\n  failed: 0\n  succeeded: 3\n  skipped: 0\n";

    private static readonly string[] _systemCommands =
        ["bash", "sh", "env", "cat", "sed", "awk", "sort", "uniq", "cut", "tr", "mktemp", "rm", "tee", "tail", "head", "grep", "dirname", "seq", "sleep"];

    private readonly ScratchDirectory _machine = new();

    public TestRunTests()
    {
        Requires.Linux("The test script");
        string tests = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(GetThisFile())!, "..", ".."));
        foreach (string name in (string[])["tests/lib", "tests/s3", "bin"])
            Directory.CreateDirectory(_machine.File(name));
        foreach (string file in (string[])["run", "requirements.txt", .. Directory.EnumerateFiles(Path.Combine(tests, "lib")).Select(path => "lib/" + Path.GetFileName(path))])
            File.Copy(Path.Combine(tests, file), _machine.File("tests/" + file));
        foreach (string command in _systemCommands)
            File.CreateSymbolicLink(_machine.File("bin/" + command), Requires.Command(command));
        Install("id", "echo 0");
        Install("apt-get", "");
        Answer(AllPassed);
        File.WriteAllText(_machine.File("tests/s3/ceph-rgw"), "exit 3\n");
    }

    public void Dispose() => _machine.Dispose();

    [Fact]
    public void Run_NewMachineAsRoot_InstallsAllMissingPackagesInOneCall()
    {
        (int exitCode, string output, _) = Run("");
        Assert.Equal(0, exitCode);
        string[] calls = Calls("apt-get");
        Assert.Equal(["update -q", calls[^1]], calls);
        Assert.StartsWith("install -y -q --no-install-recommends ", calls[^1], StringComparison.Ordinal);
        string[] packages = calls[^1].Split(' ')[4..];
        Assert.Contains("xfsprogs", packages);
        Assert.Contains("radosgw", packages);
        Assert.Contains("jq", packages);
        Assert.DoesNotContain("bash", packages);
        Assert.DoesNotContain("python3-keystone", packages);
        Assert.Contains("mkfs.xfs         xfsprogs                 volumes with an XFS file system", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_All_InstallsPackagesOfAcceptanceToo()
    {
        Run("--all --install");
        Assert.Contains("python3-keystone", Calls("apt-get")[^1].Split(' '));
        Assert.Empty(Calls("dotnet"));
    }

    [Fact]
    public void Run_ServerNamedByEnvironment_DoesNotInstallCeph()
    {
        (_, string output, _) = Run("", "S3_ENDPOINT=http://127.0.0.1:1");
        Assert.DoesNotContain("radosgw", Calls("apt-get")[^1], StringComparison.Ordinal);
        Assert.Contains("S3_ENDPOINT names http://127.0.0.1:1", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OrdinaryUserWithoutSudo_NamesWhatIsMissingAndRunsTheTests()
    {
        Install("id", "echo 1000");
        (int exitCode, string output, string errors) = Run("");
        Assert.Equal(0, exitCode);
        Assert.Empty(Calls("apt-get"));
        Assert.Contains("As root, 'tests/run --install' installs them:", errors, StringComparison.Ordinal);
        Assert.Contains("mkfs.xfs         xfsprogs", errors, StringComparison.Ordinal);
        Assert.EndsWith("3 passed, 0 failed, 0 skipped", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OrdinaryUserWithSudo_InstallsThroughSudo()
    {
        Install("id", "echo 1000");
        Install("sudo", "[ \"$1\" = -n ] || exec \"$@\"");
        Run("");
        Assert.StartsWith("install ", Calls("apt-get")[^1], StringComparison.Ordinal);
        Assert.Contains("-n true", Calls("sudo"));
    }

    [Fact]
    public void Run_SkippedTests_GroupsTheReasons()
    {
        Answer("""
            skipped Some.Tests.One (1ms)
              'x' is not installed
              from a.dll
            skipped Some.Tests.Two (1ms)
              no S3 server
              from a.dll
            skipped Some.Tests.Three (1ms)
              'x' is not installed
              from a.dll
            total: 5
              failed: 0
              succeeded: 2
              skipped: 3
            """);
        (int exitCode, string output, _) = Run("--quick");
        Assert.Equal(0, exitCode);
        Assert.EndsWith("== Skipped tests by reason\n      2 'x' is not installed\n      1 no S3 server\n2 passed, 0 failed, 3 skipped", output, StringComparison.Ordinal);
        Assert.Empty(Calls("apt-get"));
        Assert.Equal("test endpoint= key= servers=none", Assert.Single(Calls("environment")));
        Assert.Contains("--filter-not-trait Duration=Long", Calls("dotnet")[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("total: 2\n  failed: 1\n  succeeded: 1\n  skipped: 0\n", 2, "1 passed, 1 failed, 0 skipped")]
    [InlineData("total: 2\n  failed: 0\n  succeeded: 2\n  skipped: 0\n", 2, "2 passed, 1 failed, 0 skipped")]
    [InlineData("total: 0\n  failed: 0\n  succeeded: 0\n  skipped: 0\n", 0, "0 passed, 1 failed, 0 skipped")]
    [InlineData("nothing that can be read", 0, "0 passed, 1 failed, 0 skipped")]
    public void Run_FailedOrUnreadableTestRun_Fails(string log, int exitCodeOfTests, string lastLine)
    {
        Answer(log, exitCodeOfTests);
        (int exitCode, string output, _) = Run("--no-install");
        Assert.Equal(1, exitCode);
        Assert.EndsWith(lastLine, output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Filter_IsPassedToTheTests()
    {
        Run("--no-install --filter *Prune*");
        Assert.Contains("--filter-method *Prune*", Calls("dotnet")[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("--filter-not-trait", Calls("dotnet")[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--filter")]
    public void Run_WrongUsage_ExitsWith2AndPrintsUsage(string arguments)
    {
        (int exitCode, _, string errors) = Run(arguments);
        Assert.Equal(2, exitCode);
        Assert.Contains("usage: tests/run", errors, StringComparison.Ordinal);
        Assert.Empty(Calls("dotnet"));
    }

    [Fact]
    public void Run_Docker_StartsMinioForAllTestsAndStopsIt()
    {
        using TcpListener minio = new(IPAddress.Loopback, 0);
        minio.Start();
        Install("docker", $"case $1 in run) echo container-1 ;; port) echo {minio.LocalEndpoint} ;; esac");
        (int exitCode, string output, _) = Run("");
        Assert.Equal(0, exitCode);
        Assert.Contains($"MinIO in Docker listens at http://{minio.LocalEndpoint}", output, StringComparison.Ordinal);
        Assert.Contains($"test endpoint=http://{minio.LocalEndpoint} key=backup-engine servers=", Calls("environment"));
        Assert.Equal("stop container-1", Calls("docker")[^1]);
        Assert.DoesNotContain("radosgw", Calls("apt-get")[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NoDocker_StartsCephForAllTestsAndStopsIt()
    {
        File.WriteAllText(_machine.File("tests/s3/ceph-rgw"), $"echo \"$1\" >>'{_machine.File("ceph.calls")}'; [ $1 != start ] || printf 'S3_ENDPOINT=http://127.0.0.1:9\\nAWS_ACCESS_KEY_ID=ceph\\nAWS_SECRET_ACCESS_KEY=s\\n'\n");
        Run("");
        Assert.Contains("test endpoint=http://127.0.0.1:9 key=ceph servers=", Calls("environment"));
        Assert.Equal(["start", "stop"], Calls("ceph"));
    }

    private (int ExitCode, string Output, string Errors) Run(string arguments, params string[] settings) => SystemTool.TryRun(
        "env", ["-i", "-C", _machine.Path, $"PATH={_machine.File("bin")}", $"TMPDIR={_machine.Path}", "SYSTEM_FOLDERS=", .. settings, "bash", "tests/run", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

    private void Install(string command, string script)
    {
        string path = _machine.File("bin/" + command);
        File.WriteAllText(path, $"#!{Requires.Command("bash")}\necho \"$*\" >>'{_machine.File(command + ".calls")}'\n{script}\n");
        SystemTool.Run("chmod", "700", path);
    }

    private void Answer(string log, int exitCode = 0)
    {
        File.WriteAllText(_machine.File("log"), log + "\n");
        Install("dotnet", $"[ $1 = test ] || exit 0; echo \"test endpoint=${{S3_ENDPOINT:-}} key=${{AWS_ACCESS_KEY_ID:-}} servers=${{BACKUPENGINE_TEST_SERVERS:-}}\" >>'{_machine.File("environment.calls")}'; cat '{_machine.File("log")}'; exit {exitCode}");
    }

    private string[] Calls(string command) => File.Exists(_machine.File(command + ".calls")) ? File.ReadAllLines(_machine.File(command + ".calls")) : [];

    private static string GetThisFile([CallerFilePath] string path = "") => path;
}
