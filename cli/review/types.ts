/** The resource types that a review knows more about than their name. */
export const types = {
  vpc: "aws:ec2/vpc:Vpc",
  subnet: "aws:ec2/subnet:Subnet",
  internetGateway: "aws:ec2/internetGateway:InternetGateway",
  natGateway: "aws:ec2/natGateway:NatGateway",
  eip: "aws:ec2/eip:Eip",
  eipAssociation: "aws:ec2/eipAssociation:EipAssociation",
  routeTable: "aws:ec2/routeTable:RouteTable",
  route: "aws:ec2/route:Route",
  routeTableAssociation: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  securityGroup: "aws:ec2/securityGroup:SecurityGroup",
  defaultSecurityGroup: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
  ingressRule: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  egressRule: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  oldRule: "aws:ec2/securityGroupRule:SecurityGroupRule",
  networkInterface: "aws:ec2/networkInterface:NetworkInterface",
  instance: "aws:ec2/instance:Instance",
  volume: "aws:ebs/volume:Volume",
  volumeAttachment: "aws:ec2/volumeAttachment:VolumeAttachment",
  loadBalancer: "aws:elb/loadBalancer:LoadBalancer",
  networkLoadBalancer: "aws:lb/loadBalancer:LoadBalancer",
  networkListener: "aws:lb/listener:Listener",
  targetGroup: "aws:lb/targetGroup:TargetGroup",
  loadBalancerAttachment: "aws:elb/attachment:Attachment",
  loadBalancerPolicy: "aws:elb/loadBalancerPolicy:LoadBalancerPolicy",
  listenerPolicy: "aws:elb/listenerPolicy:ListenerPolicy",
  backendPolicy: "aws:elb/loadBalancerBackendServerPolicy:LoadBalancerBackendServerPolicy",
  certificate: "aws:acm/certificate:Certificate",
  record: "aws:route53/record:Record",
  bucket: "aws:s3/bucket:Bucket",
  logGroup: "aws:cloudwatch/logGroup:LogGroup",
  flowLog: "aws:ec2/flowLog:FlowLog",
  parameter: "aws:ssm/parameter:Parameter",
  password: "random:index/randomPassword:RandomPassword",
  privateKey: "tls:index/privateKey:PrivateKey",
  selfSignedCert: "tls:index/selfSignedCert:SelfSignedCert",
  locallySignedCert: "tls:index/locallySignedCert:LocallySignedCert",
  stash: "pulumi:index:Stash",
  stack: "pulumi:pulumi:Stack",
} as const;

/** `aws:ec2/instance:Instance` as `ec2.Instance`, `emqx-aws:index:EmqxVpc` as `EmqxVpc`. */
export function shortType(type: string): string {
  if (type === types.stash) return "Stash (a memory of the stack, not in AWS)";
  const [, module = "", name = type] = type.split(":");
  const service = module.split("/")[0] ?? "";
  return service === "index" || service === "" || service === "pulumi" ? name : `${service}.${name}`;
}
